/** The fields that every version of the header begins with: version, trace id, parent id and flags. */
const fields = /^([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-|$)/

/**
 * Returns a traceparent in version 00 of W3C Trace Context, which has 55 characters, or undefined if the value is not
 * valid. Of a later version, only the fields of version 00 are kept, as the specification asks.
 */
export function traceparentOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const [, version, traceId, parentId, flags, more] = fields.exec(value) ?? []
  if (version === undefined || version === 'ff') return undefined
  if (version === '00') return more === '' ? value : undefined
  const isSampled = Number(`0x${flags}`) % 2 === 1
  return `00-${traceId}-${parentId}-${isSampled ? '01' : '00'}`
}
