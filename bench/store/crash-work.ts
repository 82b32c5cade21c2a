// What the crash bench kills. Usage: crash-work.ts FOLDER KEYFILE DISK…

import { act, openScene } from './crash-scene.ts'

const [folder, keyFile, ...disks] = process.argv.slice(2)
await act(await openScene(folder!, disks, keyFile!), (line) => console.log(line))
