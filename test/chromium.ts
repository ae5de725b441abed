import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'chrome']
const elsewhere = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** Returns the path of a Chromium: that in CHROMIUM, or the first that is installed; undefined if none is. */
export function findChromium(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean)
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name)))
  const chosen = process.env['CHROMIUM']
  const path = (chosen === undefined ? [...found, ...elsewhere] : [chosen]).find(isExecutable)
  if (path === undefined)
    console.warn(
      `Tests in a browser are skipped: ${chosen === undefined ? 'no Chromium is installed. Install it (Debian: apt-get install chromium), or set CHROMIUM to its path' : `CHROMIUM=${chosen} cannot be run`}.`,
    )
  return path
}

/** Starts a Chromium. */
export const openChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    // its sandbox does not work for root
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
