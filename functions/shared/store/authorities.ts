import { readFileSync } from 'node:fs'
import { UserError } from '../process/user-error.ts'

/**
 * Returns the certificates of authorities in a file, in PEM.
 * @param of the setting and the parameter of its URL that names the file, for the error message
 * @throws UserError if the file cannot be read or has none, because then those of Node would be used instead
 */
export function readAuthorities(file: string, of: { setting: string; parameter: string }): string {
  const what = `${of.setting}: the ${of.parameter} ${file}`
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UserError(
      `${what} cannot be read (${(error as NodeJS.ErrnoException).code}). Mount the certificate there.`,
    )
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new UserError(`${what} contains no certificate in PEM. Mount one there.`)
}
