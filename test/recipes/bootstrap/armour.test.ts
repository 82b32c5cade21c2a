import { expect, test } from 'vitest'
import { armour } from '../../../recipes/bootstrap/armour.ts'

// A throw-away key as `gpg --export | base64 -w0` and `gpg --export --armor` print it.
const binary =
  'mDMEawMpNhYJKwYBBAHaRw8BAQdAJY/XtgQidwXYtJGc+PRY4zARF1W/znyI3K0egT7gapi0F1Rlc3QgPHRlc3RAZX' +
  'hhbXBsZS5vcmc+iJYEExYIAD4WIQRnorIDT1wamW2GAbXxFKkfiDJrtwUCawMpNgIbAwUJA8JnAAULCQgHAgYVCgkI' +
  'CwIEFgIDAQIeAQIXgAAKCRDxFKkfiDJrtycsAPwPwDiy4VeqI7heqkO/OAjrhb8++CYzrG5IxFQzZy2cNAEAld0Aba' +
  'Dud+q5ZRvF2GAzgoxFOqCBftdZ5VWZGbysNwE='
const armoured = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawMpNhYJKwYBBAHaRw8BAQdAJY/XtgQidwXYtJGc+PRY4zARF1W/znyI3K0e
gT7gapi0F1Rlc3QgPHRlc3RAZXhhbXBsZS5vcmc+iJYEExYIAD4WIQRnorIDT1wa
mW2GAbXxFKkfiDJrtwUCawMpNgIbAwUJA8JnAAULCQgHAgYVCgkICwIEFgIDAQIe
AQIXgAAKCRDxFKkfiDJrtycsAPwPwDiy4VeqI7heqkO/OAjrhb8++CYzrG5IxFQz
Zy2cNAEAld0AbaDud+q5ZRvF2GAzgoxFOqCBftdZ5VWZGbysNwE=
=8UpL
-----END PGP PUBLIC KEY BLOCK-----
`

test('a key gets the armour gpg would give it', () => {
  expect(armour(binary)).toBe(armoured)
})
