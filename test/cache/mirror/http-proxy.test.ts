import { expect, test } from 'vitest'
import { httpProxyFor } from '../../../cache/mirror/http-proxy.ts'

const direct = { noProxy: ['mirror.example.org'] }
const through = (proxy: string): object => ({ proxy, noProxy: [] })

test.each([
  ['http', {}, direct],
  ['http', { http_proxy: '' }, direct],
  ['http', { http_proxy: 'http://proxy.example.org:3128' }, through('http://proxy.example.org:3128')],
  ['http', { http_proxy: 'proxy.example.org:3128' }, through('http://proxy.example.org:3128')],
  ['http', { https_proxy: 'http://proxy.example.org:3128' }, direct],
  ['http', { HTTP_PROXY: 'http://proxy.example.org:3128' }, direct],
  ['https', { http_proxy: 'http://proxy.example.org:3128' }, direct],
  ['https', { HTTPS_PROXY: 'http://proxy.example.org:3128' }, through('http://proxy.example.org:3128')],
  ['https', { all_proxy: 'http://proxy.example.org:3128' }, through('http://proxy.example.org:3128')],
  ['http', { http_proxy: 'http://a', no_proxy: 'mirror.example.org' }, direct],
  ['http', { http_proxy: 'http://a', no_proxy: 'localhost, example.org' }, direct],
  ['http', { http_proxy: 'http://a', no_proxy: '.example.org:80' }, direct],
  ['http', { http_proxy: 'http://a', NO_PROXY: '*' }, direct],
  ['http', { http_proxy: 'http://a', no_proxy: 'ample.org,,' }, through('http://a')],
])('%s %j', (scheme, env, expected) => {
  expect(httpProxyFor(`${scheme}://mirror.example.org/debian`, env)).toEqual(expected)
})
