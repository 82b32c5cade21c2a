// A kernel of 342 bytes that does what real ones do and broken virtualisation fails at: long mode with paging,
// timer interrupts, SSE and BMI2 instructions in ring 0, page table reloads. A plain boot sector passes where this hangs.
// Source: acceleration-kernel.S; its test assembles and compares.

/** Multiboot image; leaves by qemu's isa-debug-exit at port 0xf4 after ten timer interrupts. */
export const probeKernel: Buffer = Buffer.from(
  [
    'ArCtGwAAAQD+T1HkAAAQAAAAEAAAAAAAAAAAAEgAEAAAAAAAAAAAAP//AAAAm68A//8AAACTzwAXACAAEAAPAgBAAAAAAAAAvAAA',
    'CQAxwL8AEAAAuQAQAADzq8cFABAAAAMgAADHBQAgAAADMAAAxwUAMAAAgwAAAA8BFTgAEAC4IAYAAA8i4LgAEAAADyLYuYAAAMC4',
    'AAEAADHSDzC4MwABgA8iwOqtABAACAC4EAAAAI7QjtiOwLhLARAAvwBCAABmiQdmx0cCCABmx0cEAI7B6BBmiUcGDwEcJT4AEACw',
    'EeYg5qCwIOYhsCjmobAE5iGwAuahsAHmIeahsP7mIbD/5qGwNOZDsJzmQLAu5kBFMcD7uAcAAAAxyQ+iD7rjCHMKugMAAADEQmn3',
    'yfJJDyrA8g9ZwA8g2A8i2PRBg/gKctGwKub0+vTr/UH/wFCwIOYgWEjP',
  ].join(''),
  'base64',
)

/** isa-debug-exit makes 2n + 1 of what the kernel writes, 42: no way qemu ends by itself. */
export const probeExitCode = 85
