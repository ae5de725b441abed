/** Returns a cursor of the same list, sort and filters as another one, with other values. */
export function forge(cursor: string, ...values: unknown[]): string {
  const [list] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [unknown]
  return Buffer.from(JSON.stringify([list, ...values])).toString('base64url')
}
