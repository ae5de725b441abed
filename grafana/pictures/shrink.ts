/** The part of upng-js that is used: it has no types. */
interface Upng {
  decode: (png: Buffer) => { width: number; height: number }
  toRGBA8: (image: object) => ArrayBuffer[]
  encode: (frames: ArrayBuffer[], width: number, height: number, colours: number) => ArrayBuffer
}

/** As many as a PNG with a palette may have. */
const colours = 256

/** Returns a function that makes a PNG smaller: what is drawn has few colours. */
export function shrinker(require: NodeJS.Require) {
  const upng = require('upng-js') as Upng
  return (png: Buffer): Buffer => {
    const image = upng.decode(png)
    return Buffer.from(upng.encode(upng.toRGBA8(image), image.width, image.height, colours))
  }
}
