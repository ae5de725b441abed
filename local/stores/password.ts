import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

export const newPassword = (): string => randomBytes(24).toString('base64url')

/**
 * Writes a password to a file that only its owner can read. The file is renamed once complete, so that a full disk leaves no
 * partial file.
 * @param prepare is called with the new file before it is renamed
 */
export const keepPassword = (file: string, password: string, prepare = (_file: string): void => {}): void => {
  writeFileSync(`${file}.new`, password, { mode: 0o600, flush: true })
  prepare(`${file}.new`)
  renameSync(`${file}.new`, file)
}

/** Returns the password in a file, or undefined if there is no such file. */
export const keptPassword = (file: string): string | undefined =>
  existsSync(file) ? readFileSync(file, 'utf8') : undefined
