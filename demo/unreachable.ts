/** Returns a message that says what to do if the shop cannot be reached. */
export function unreachable(url: string, error: unknown): string {
  const code = codeOf(error)
  if (/CERT|SELF_SIGNED|ISSUER/.test(code))
    return `The certificate of ${url} is not trusted (${code}). Name the file of its authority's certificate in NODE_EXTRA_CA_CERTS.`
  return `No shop answers at ${url} (${code}). Start it with npm start, or set SHOP_URL.`
}

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.cause === undefined ? error.message : codeOf(error.cause)
}
