/** What is not text that every store keeps as it is. */

/** A part of a request, by its JSON pointer, and what is wrong with it. */
export interface Fault {
  pointer: string
  detail: string
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Decodes UTF-8. Returns undefined if it is not valid. */
export function decodeUtf8(bytes: ArrayBuffer | Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** Matches escapes of surrogates and of U+0000. Without them, JSON in valid UTF-8 contains neither. */
const suspicious = /\\u(?:d[89a-f]|0000)/i

/**
 * Returns the strings of a JSON body that PostgreSQL refuses, or that would be kept differently: those with half
 * of a surrogate pair or U+0000.
 * @param json the text of the body
 * @param value the parsed body
 * @param at the pointer to it
 */
export const faultsOfJson = (json: string, value: unknown, at: string): Fault[] =>
  suspicious.test(json) ? [...faultsIn(value, at)] : []

function* faultsIn(value: unknown, pointer: string): Generator<Fault> {
  const detail = typeof value === 'string' ? faultOf(value) : undefined
  if (detail !== undefined) yield { pointer, detail }
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    const at = `${pointer}${toPointer(key)}`
    const detail = faultOf(key)
    if (detail !== undefined) yield { pointer: at, detail: `the name of the field: ${detail}` }
    yield* faultsIn(inner, at)
  }
}

/** Returns what is wrong with a text, or undefined. */
function faultOf(text: string): string | undefined {
  if (text.includes('\0')) return 'must not contain U+0000'
  if (!text.isWellFormed()) return 'must not contain half of a surrogate pair: escape both halves, or neither'
  return undefined
}

/**
 * Returns the parameters of a URL's query whose names or values are not percent-encoded UTF-8, or contain U+0000.
 */
export function faultsOfQuery(url: string): Fault[] {
  if (!url.includes('%')) return []
  const parameters = new URL(url).search.slice(1).split('&')
  return parameters.flatMap((parameter) => {
    const detail = faultOfEncoded(parameter)
    return detail === undefined ? [] : [{ pointer: `/query${toPointer(parameter.split('=')[0]!)}`, detail }]
  })
}

/** Returns what is wrong with a percent-encoded text, or undefined. */
export function faultOfEncoded(encoded: string): string | undefined {
  try {
    return faultOf(decodeURIComponent(encoded))
  } catch {
    return 'must be percent-encoded UTF-8'
  }
}

/** Returns a segment of a JSON pointer (RFC 6901). */
export const toPointer = (key: PropertyKey) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`
