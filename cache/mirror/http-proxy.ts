// Pure. http_proxy, https_proxy and no_proxy as curl reads them, in the words of make-fetch-happen's options.

type Environment = Readonly<Record<string, string | undefined>>

/** Always says something: left alone, make-fetch-happen reads the variables of the process itself. */
export function httpProxyFor(url: string, env: Environment): { proxy?: string; noProxy?: string[] } {
  const { protocol, hostname } = new URL(url)
  // http_proxy in capitals can come from a CGI request header, so curl does not read it and neither do we.
  const scheme = protocol === 'https:' ? [env['https_proxy'], env['HTTPS_PROXY']] : [env['http_proxy']]
  const proxy = [...scheme, env['all_proxy'], env['ALL_PROXY']].find((value) => value !== undefined)
  const direct = { noProxy: [hostname] }
  if (proxy === undefined || proxy === '') return direct
  const excepted = (env['no_proxy'] ?? env['NO_PROXY'] ?? '').split(/[\s,]+/)
  if (excepted.some((name) => name === '*' || covers(name, hostname))) return direct
  return { proxy: proxy.includes('://') ? proxy : `http://${proxy}`, noProxy: [] }
}

function covers(name: string, hostname: string): boolean {
  const suffix = name
    .replace(/^\*?\./, '')
    .replace(/:\d+$/, '')
    .toLowerCase()
  return suffix !== '' && (hostname === suffix || hostname.endsWith(`.${suffix}`))
}
