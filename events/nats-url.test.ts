import { expect, it } from 'vitest'
import { natsOptions } from './nats-url.ts'

it('takes several servers, and the user and password of the first', () => {
  expect(natsOptions('nats://me:p%2Fw@a.example:4222,nats://b.example:4222')).toEqual({
    servers: ['a.example:4222', 'b.example:4222'],
    user: 'me',
    pass: 'p/w',
  })
})

it('verifies the name of a server, or its address if the URL has no name', () => {
  expect(natsOptions('tls://a.example:4222').tls).toEqual({})
  expect(natsOptions('tls://192.0.2.1:4222').tls).toEqual({ host: '192.0.2.1' })
  expect(natsOptions('tls://[2001:db8::1]:4222').tls).toEqual({ host: '2001:db8::1' })
})

it.each([
  ['nats://a.example?tlsCAFile=/a', 'tlsCAFile has no effect without TLS. Use tls:// instead of nats://.'],
  ['tls://a.example?tls=true', 'the parameter tls is not supported; tlsCAFile is.'],
  [
    'tls://a.example?tlsCAFile=/dev/null',
    'the tlsCAFile /dev/null contains no certificate in PEM. Mount one there.',
  ],
  [
    'tls://a.example?tlsCAFile=/nowhere/ca.crt',
    'the tlsCAFile /nowhere/ca.crt cannot be read (ENOENT). Mount the certificate there.',
  ],
])('refuses %s', (url, says) => {
  expect(() => natsOptions(url)).toThrow(`NATS_URL: ${says}`)
})
