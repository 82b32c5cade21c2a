import { expect, test } from 'vitest'
import { renderGrubConfig } from '../../../tasks/backends/disk-grub-config.ts'

const facts = {
  title: "Debian GNU/Linux 13 ('trixie')",
  files: [
    'config-6.12.9-amd64',
    'vmlinuz-6.12.9-amd64',
    'vmlinuz-6.12.10-amd64',
    'initrd.img-6.12.10-amd64',
    'grub',
  ],
  cmdline: 'console=tty0 console=ttyS1,9600',
  timeout: 1,
}

test('the newest kernel comes first, and the menu is on the serial line', () => {
  expect(renderGrubConfig({ rootUuid: 'R', bootUuid: 'R', bootPath: '/boot' }, facts)).toMatchInlineSnapshot(`
    "# Made by img. \`update-grub\` replaces it.
    set default=0
    set timeout=1
    serial --unit=1 --speed=9600
    terminal_input console serial
    terminal_output console serial
    search --no-floppy --fs-uuid --set=root R
    menuentry 'Debian GNU/Linux 13 (trixie), Linux 6.12.10-amd64' {
      linux /boot/vmlinuz-6.12.10-amd64 root=UUID=R ro console=tty0 console=ttyS1,9600
      initrd /boot/initrd.img-6.12.10-amd64
    }
    menuentry 'Debian GNU/Linux 13 (trixie), Linux 6.12.9-amd64' {
      linux /boot/vmlinuz-6.12.9-amd64 root=UUID=R ro console=tty0 console=ttyS1,9600
    }
    "
  `)
})

test('a /boot of its own holds the kernels at its root', () => {
  const config = renderGrubConfig(
    { rootUuid: 'R', bootUuid: 'B', bootPath: '' },
    { ...facts, files: ['vmlinuz-1'], cmdline: '' },
  )
  expect(config).toMatchInlineSnapshot(`
    "# Made by img. \`update-grub\` replaces it.
    set default=0
    set timeout=1
    search --no-floppy --fs-uuid --set=root B
    menuentry 'Debian GNU/Linux 13 (trixie), Linux 1' {
      linux /vmlinuz-1 root=UUID=R ro
    }
    "
  `)
})
