import { expect, it } from 'vitest'
import { sitesOf } from './failpoints.ts'

const found = (source: string) => sitesOf('a.ts', source).map(({ id }) => id.replace('a.ts:', ''))

it.each([
  ['a transaction', 'await db.transaction(async (tx) => { await tx.insert(a).values(b) })', ['1 commit']],
  ['a statement, at its end', 'await db\n.insert(a)\n.values(b)\n.returning()', ['1 commit']],
  ['a prepared statement', 'await placed(db).execute({ id })', ['1 commit']],
  ['a statement as text', 'await db.client.unsafe(text)', ['1 commit']],
  ['a statement as a template', 'await db.client`insert into a values (${b})`', ['1 commit']],
  ['no statement in a transaction', 'await tx.client`insert into a values (${b})`', []],
  ['a change in MongoDB', 'await products.updateOne({ a }, { b })', ['1 commit']],
  ['a publish', '\nawait jetstream.publish(subject, body)', ['2 publish']],
  ['an acknowledgement', 'message.ack()', ['1 acknowledge']],
  ['a call', 'await fetch(url)', ['1 call']],
  ['a call with node:http', "await send('GET', url, {})", ['1 call']],
  ['each of two calls', 'await fetch(one); await fetch(two)', ['1 call', '1 call']],
  ['no query that reads', 'await db.select().from(a)', []],
  ['no part of a statement', "db.$with('x').as(db.insert(a).values(b))", []],
  ['no call of a helper that makes the commit', 'await transaction(db, work)', []],
])('a failpoint is set at %s', (_, source, sites) => {
  expect(found(source)).toEqual(sites)
})

it('a failpoint is set at the end of the work of a transaction', () => {
  const source = 'db.transaction(work)'
  expect(sitesOf('a.ts', source)[0]!.work).toEqual({ start: 15, end: 19 })
})
