import { expect, it } from 'vitest'
import { splitTls } from './postgres-url.ts'

const base = 'postgres://orders:x@a.example,b.example/shop'
const split = (query: string) => splitTls(`${base}${query}`, 'ORDERS_DATABASE_URL')

it.each(['', '?sslmode=disable'])('uses no TLS for a URL that ends in “%s”', (query) => {
  expect(split(query)).toEqual({ url: base, tls: undefined })
})

it('keeps the parameters that are not about TLS', () => {
  expect(split('?sslmode=require&options=-c%20x').url).toBe(`${base}?options=-c+x`)
})

it('verifies with the authorities of Node if none is named, or “system”', () => {
  for (const query of ['?sslmode=verify-full', '?sslmode=verify-full&sslrootcert=system'])
    expect(split(query).tls).toEqual({})
})

it.each([
  [
    '?sslmode=prefer',
    'sslmode=prefer is not supported. Set it to disable, require, verify-ca or verify-full. It could fall back to an unencrypted connection.',
  ],
  ['?sslmode=yes', 'sslmode=yes is not supported. Set it to disable, require, verify-ca or verify-full.'],
  ['?ssl=true', 'ssl is not supported. Use sslmode and sslrootcert.'],
  ['?sslmode=require&sslcert=/a', 'sslcert is not supported. Use sslmode and sslrootcert.'],
  ['?sslrootcert=/a', 'sslrootcert has no effect without TLS. Add sslmode=verify-full.'],
  [
    '?sslmode=require&sslrootcert=system',
    'sslrootcert=system needs sslmode=verify-full, because anyone can get a certificate of a public authority.',
  ],
  [
    '?sslmode=verify-full&sslrootcert=/dev/null',
    'the sslrootcert /dev/null contains no certificate in PEM. Mount one there.',
  ],
  [
    '?sslmode=verify-full&sslrootcert=/nowhere/ca.crt',
    'the sslrootcert /nowhere/ca.crt cannot be read (ENOENT). Mount the certificate there.',
  ],
])('refuses a URL that ends in %s', (query, says) => {
  expect(() => split(query)).toThrow(`ORDERS_DATABASE_URL: ${says}`)
})
