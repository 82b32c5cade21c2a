// The installer's own recipes (partman-auto of trixie, amd64), BIOS and UEFI variant in one: an image boots both ways.

export const predefinedSchemes: Readonly<Record<string, string>> = {
  atomic: scheme(768, '8000 8850 -1 /', '500 550 100% swap'),
  home: scheme(768, '7500 7550 100000 /', '500 550 100% swap', '1000 1800 -1 /home'),
  multi: scheme(
    768,
    '7000 7050 100000 /',
    '2000 2020 40000 /var',
    '500 550 100% swap',
    '500 510 3000 /tmp',
    '1000 1770 -1 /home',
  ),
  server: scheme(768, '5000 5050 100000 /', '2000 2020 40000 /var', '500 550 1024 swap', '1000 1780 -1 /srv'),
  small_disk: scheme(512, '2000 2840 -1 /', '500 560 100% swap'),
}

function scheme(efi: number, ...parts: readonly string[]): string {
  const bios = '1 1 1 free $iflabel{ gpt } method{ biosgrub } .'
  const esp = `${efi} ${efi === 512 ? 542 : 788} 1024 free $primary{ } method{ efi } format{ } .`
  return ['::', bios, esp, ...parts.map(partition)].join(' ')
}

function partition(part: string): string {
  const words = part.split(' ')
  const sizes = words.slice(0, 3).join(' ')
  const use = words[3] ?? ''
  if (use === 'swap') return `${sizes} linux-swap method{ swap } format{ } .`
  const fields = `method{ format } format{ } use_filesystem{ } $default_filesystem{ } mountpoint{ ${use} }`
  return `${sizes} $default_filesystem ${fields} .`
}
