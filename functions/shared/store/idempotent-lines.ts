import { createHash } from 'node:crypto'
import { and, eq, lt, sql } from 'drizzle-orm'
import { Problem } from '../http/problems.ts'
import type { Outcome, ReadLine } from '../http/lines/answer-lines.ts'
import { inFlight, keyLifetimeMs, reused, type IdempotencyKey } from './idempotency.ts'
import type { IdempotencyTable } from './idempotency-table.ts'
import { before, isAmong, type Tx } from './postgres.ts'
import { errorCode, sqlState } from './store-errors.ts'

/*
 * The lines of a request each have a key of their own: that of the request, and the number of the line. If the connection
 * breaks and the lines are sent again, those that were done are answered as they were, and the others are done.
 */

/** No client can send this key, because it has a space. */
const keyOf = ({ key }: IdempotencyKey, line: number) => `${key} ${line}`

const hashOf = ({ hash }: IdempotencyKey, text: string) =>
  createHash('sha256').update(`${hash}\n${text}`).digest('base64url')

/**
 * Claims the keys of lines.
 * @returns the outcomes of lines that were sent before; those with another text are refused
 * @throws Problem 409 if the same lines are being handled elsewhere
 */
export async function claimLines(
  tx: Tx,
  table: IdempotencyTable,
  request: IdempotencyKey,
  lines: readonly ReadLine<unknown>[],
): Promise<Map<number, Outcome>> {
  const { caller } = request
  const byKey = new Map(
    lines.map(({ line, text }) => [keyOf(request, line), { line, hash: hashOf(request, text) }]),
  )
  const mine = and(eq(table.caller, caller), isAmong(table.key, [...byKey.keys()]))
  // the two statements are pipelined
  const [, claimed] = await Promise.all([
    tx.delete(table).where(and(mine, lt(table.at, before(keyLifetimeMs)))),
    tx
      .insert(table)
      .values([...byKey].map(([key, { hash }]) => ({ caller, key, hash })))
      .onConflictDoNothing()
      .returning({ key: table.key }),
  ]).catch((error: unknown) => {
    throw errorCode(error) === sqlState.lockNotAvailable ? inFlight() : error
  })
  if (claimed.length === byKey.size) return new Map()
  const isNew = new Set(claimed.map(({ key }) => key))
  const known = await tx
    .select({ key: table.key, hash: table.hash, body: table.body })
    .from(table)
    .where(mine)
  return new Map(
    known.flatMap(({ key, hash, body }) => {
      const sent = byKey.get(key)!
      if (isNew.has(key)) return []
      return [[sent.line, hash === sent.hash ? (JSON.parse(body!) as object) : reused()] as const]
    }),
  )
}

/** Keeps what became of lines that were claimed. Those that were refused may be sent again. */
export async function keepOutcomes(
  tx: Tx,
  table: IdempotencyTable,
  request: IdempotencyKey,
  outcomes: ReadonlyMap<number, Outcome>,
): Promise<void> {
  const [refused, done] = [[] as string[], [] as { key: string; body: string }[]]
  for (const [line, outcome] of outcomes)
    if (outcome instanceof Problem) refused.push(keyOf(request, line))
    else done.push({ key: keyOf(request, line), body: JSON.stringify(outcome) })
  const free = () =>
    tx.delete(table).where(and(eq(table.caller, request.caller), isAmong(table.key, refused)))
  await Promise.all([
    refused.length > 0 && free(),
    done.length > 0 &&
      tx.execute(sql`
        update ${table} as kept set status = 200, headers = '{}', body = new.body
        from jsonb_to_recordset(${JSON.stringify(done)}::jsonb) as new (key text, body text)
        where kept.caller = ${request.caller} and kept.key = new.key`),
  ])
}
