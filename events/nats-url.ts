/**
 * Converts URLs to options of the NATS client, which expects user and password apart from the addresses.
 * @param url one URL, or several separated by commas, such as `nats://user:password@host:4222`
 * @returns the servers, and the user and password of the first URL if it has them
 */
export function natsOptions(url: string): { servers: string[]; user?: string; pass?: string } {
  const urls = url.split(',')
  const [first] = urls.filter((one) => URL.canParse(one)).map((one) => new URL(one))
  return {
    servers: urls.map((one) => (URL.canParse(one) ? new URL(one).host : one)),
    ...(first !== undefined && first.username !== ''
      ? { user: decodeURIComponent(first.username), pass: decodeURIComponent(first.password) }
      : {}),
  }
}
