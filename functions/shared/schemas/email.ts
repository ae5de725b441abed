import { domainToASCII } from 'node:url'
import * as z from 'zod'

/** The characters of a local part: those of RFC 5321, and any visible ones outside ASCII (RFC 6531). */
const atom = String.raw`(?:[\w!#$%&'*+/=?^{|}~\x60-]|(?![\p{C}\p{Z}])[^\x00-\x7f])+`
const localPart = new RegExp(String.raw`^${atom}(?:\.${atom})*$`, 'u')

/** The domain as ASCII. At least two labels, the last of which is not a number. */
const asciiDomain = /^(?=.{1,253}$)(?:[a-z0-9][a-z0-9-]{0,62}\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/

/** The limits of RFC 5321, 4.5.3.1, in bytes. */
const maxLocalPart = 64
const maxAddress = 254

/**
 * Returns the form in which an address is stored and compared: in lower case and NFC, with the domain's labels
 * in ASCII (`xn--…`). Returns the text unchanged if it is not an address.
 */
function normalize(address: string): string {
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1)
  // Normalising shortens an address by far less. domainToASCII also parses escapes and paths, as in a URL.
  if (at < 1 || address.length > 4 * maxAddress || /[\s%/?#:\\]/.test(domain)) return address
  // lower case may decompose what was composed
  const local = address.slice(0, at).normalize('NFC').toLowerCase().normalize('NFC')
  return `${local}@${domainToASCII(domain)}`
}

function isAddress(address: string): boolean {
  const at = address.lastIndexOf('@')
  const local = address.slice(0, at)
  return (
    localPart.test(local) &&
    asciiDomain.test(address.slice(at + 1)) &&
    Buffer.byteLength(local) <= maxLocalPart &&
    Buffer.byteLength(address) <= maxAddress
  )
}

/**
 * An e-mail address, which may be internationalised (RFC 6531). Every form of an address is normalised to the
 * same one, so that it has one account.
 */
export const Email = z
  .string()
  .overwrite(normalize)
  .refine(isAddress, 'an e-mail address such as ada@example.com, at most 254 bytes')
  .meta({
    format: 'idn-email',
    pattern: '^[^\\s@]+@[^\\s@]+\\.[^\\s@]+$',
    description: 'At most 254 bytes; answered in lower case, with the domain in ASCII.',
    example: 'ada@example.com',
  })
