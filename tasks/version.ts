/** Equal to package.json's; a constant because reading a file costs start-up time. A test compares them. */
export const version = '0.1.0'
