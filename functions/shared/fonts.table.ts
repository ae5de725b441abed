import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { brotliCompressSync, constants } from 'node:zlib'

const file = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf')

/**
 * DejaVu Sans, which has Latin, Greek, Cyrillic and many other scripts: compressed with Brotli, in base64. A bundle
 * contains it as a value, so that it is in the images of the functions that need it.
 */
export const sans = brotliCompressSync(readFileSync(file), {
  params: { [constants.BROTLI_PARAM_QUALITY]: 9 },
}).toString('base64')
