import { describe, expect, it } from 'vitest'
import { explainExit, lineThatMatters } from './explain.ts'
import { reasonOf, withoutSecrets } from './url.ts'

describe('the message about a store that ended while it was starting', () => {
  it.each([
    [
      '2026-11-22 10:14:58.658 UTC [12] FATAL:  could not write lock file "postmaster.pid": No space left on device\n',
    ],
    ['[12] 2026/11/22 10:14:58.658 [FTL] Can not start JetStream: write x: no space left on device\n'],
    ['wiredtiger.WiredTigerError: No space left on device\n'],
  ])('reports that the disk is full: %s', (log) => {
    expect(explainExit('It', log, 'it.log', '/data').message).toBe(
      'It could not start because the disk that holds /data is full. Free some space and start again.',
    )
  })

  it('quotes the most important line of the log, without its time', () => {
    const log = [
      '2026-11-22 10:14:58.658 UTC [12] LOG:  starting PostgreSQL 18.4',
      '2026-11-22 10:14:58.659 UTC [12] FATAL:  lock file "postmaster.pid" already exists',
      '2026-11-22 10:14:58.660 UTC [12] LOG:  database system is shut down',
    ]
    expect(lineThatMatters(log.join('\n'))).toBe('FATAL:  lock file "postmaster.pid" already exists')
  })
})

describe('a URL in a message', () => {
  it.each([
    ['postgres://me:se@cret/@db.example:5432/shop?sslmode=require', 'postgres://db.example:5432/shop'],
    ['mongodb://me:secret@a:1,b:2/?replicaSet=x', 'mongodb://a:1,b:2/'],
    ['nats://127.0.0.1:4222', 'nats://127.0.0.1:4222'],
    ['me:secret@host', 'host'],
  ])('has no user, password or parameters: %s', (url, shown) => {
    expect(withoutSecrets(url)).toBe(shown)
  })

  it('is removed from errors, with its password', () => {
    const error = new Error('bad password "secret" in nats://me:secret@host')
    expect(reasonOf(error, 'nats://me:secret@host')).toBe('bad password "…" in …')
  })
})
