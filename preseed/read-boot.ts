// Boot loader and kernel command line.

import type { Sheet } from './sheet.ts'

export interface BootSettings {
  /** What is added to the kernel's command line, consoles included. */
  readonly cmdline: string
  readonly osProber: boolean
}

export function readBoot(sheet: Sheet): BootSettings {
  const skip = sheet.answer('grub-installer/skip')
  if (skip?.value === 'true') {
    sheet.error(skip, 'a disk without boot loader does not boot', 'remove the line')
  }
  readDevice(sheet)
  refusePassword(sheet)
  return { cmdline: readCmdline(sheet), osProber: readOsProber(sheet) }
}

/** A serial console and the screen, unless the answer file chooses consoles itself. */
const consoles = 'console=tty0 console=ttyS0,115200'

function readCmdline(sheet: Sheet): string {
  const answer = sheet.answer('debian-installer/add-kernel-opts')
  const options = (answer?.value ?? '').split(/\s+/).filter(Boolean)
  const wrong = options.find((option) => /["'`$\\]/.test(option))
  if (wrong !== undefined) {
    sheet.error(answer, `the kernel option ${wrong} holds a quote, $ or backslash`, 'write it without')
  }
  const root = options.find((option) => /^(?:root|rootfstype|ro|rw)(?:=|$)/.test(option))
  if (root !== undefined) {
    sheet.error(answer, `the kernel option ${root} is set by the boot loader`, 'remove it')
  }
  const chosen = options.some((option) => option.startsWith('console='))
  return [...(chosen ? [] : [consoles]), ...options].join(' ')
}

/** The image has one disk whose name is not known yet. */
function readDevice(sheet: Sheet): void {
  const answers = [sheet.answer('grub-installer/bootdev'), sheet.answer('grub-installer/choose_bootdev')]
  const answer = answers.find((one) => one !== undefined && one.value !== '')
  if (answer === undefined || answer.value === 'default') return
  const whole = /^(?:\/dev\/(?:[shv]d[a-z]|xvd[a-z]|nvme\d+n\d+|mmcblk\d+|disk\/by-[a-z]+\/\S+)|\(hd0\))$/
  if (whole.test(answer.value)) return
  sheet.error(
    answer,
    `the boot loader cannot be put on "${answer.value}"`,
    'write default: it goes to the disk of the image',
  )
}

function refusePassword(sheet: Sheet): void {
  const answers = ['password', 'password-again', 'password-crypted'].map((name) =>
    sheet.answer(`grub-installer/${name}`),
  )
  const answer = answers.find((one) => one !== undefined && one.value !== '')
  if (answer === undefined) return
  sheet.error(
    answer,
    'a boot loader password is not supported',
    'remove the line and write /etc/grub.d/01_password with a files or puppet recipe',
  )
}

function readOsProber(sheet: Sheet): boolean {
  sheet.answer('grub-installer/enable_os_prober_otheros_no')
  return sheet.flag('grub-installer/enable_os_prober_otheros_yes', false)
}
