/**
 * How the client of NATS is told what is in a URL: it takes the user and password apart from the addresses.
 * @param url one or several with commas between, such as `nats://user:password@host:4222`
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
