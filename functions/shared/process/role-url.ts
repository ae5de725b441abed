/** Returns a role's URL on the administrator's server: its own may name the pooler. */
export function at(admin: string, role: string): string {
  const url = new URL(role)
  url.host = new URL(admin).host
  return url.href
}
