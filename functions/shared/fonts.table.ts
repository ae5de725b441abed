import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/*
 * DejaVu Sans, which has Latin, Greek, Cyrillic and many other scripts, in base64. A bundle contains it as a value, so
 * that it is in the images of the functions that need it.
 */
export const sans = readFileSync(
  createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
  'base64',
)
