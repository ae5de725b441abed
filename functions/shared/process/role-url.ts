/**
 * Returns a role's URL on the administrator's server: its own may name the pooler. What the parameters say about TLS
 * belongs to the server, too.
 */
export function at(admin: string, role: string): string {
  const url = new URL(role)
  const { host, search } = new URL(admin)
  return Object.assign(url, { host, search }).href
}
