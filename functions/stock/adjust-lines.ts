import { uuidv7 } from 'uuidv7'
import type { User } from '../shared/auth/access-token.ts'
import type { Outcome, ReadLine } from '../shared/http/lines/answer-lines.ts'
import { Problem } from '../shared/http/problems.ts'
import type { ProductReader } from '../shared/http/product-reader.ts'
import { Id, Sku } from '../shared/schemas/schemas.ts'
import type { IdempotencyKey } from '../shared/store/idempotency.ts'
import { claimLines, keepOutcomes } from '../shared/store/idempotent-lines.ts'
import type { Db, Tx } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import { findAccount, lockAccounts, noStock, saveAccounts } from './accounts.ts'
import { fillBackorders } from './backorders.ts'
import { problems } from './problems.ts'
import { adjust, adjustments, idempotencyKeys, type ItemRow, type StockLine } from './stock.ts'
import * as z from 'zod'

/** What is answered for a line that is done. */
export const doneMembers = {
  sku: Sku,
  adjustmentId: Id,
  available: z.int().meta({ description: 'How many are available after this line.' }),
}

/**
 * Makes adjustments in one transaction, in the order of their lines. Each is made once for each key and line, so that
 * the lines can be sent again: those that are done are answered as they were.
 * @returns what became of each line
 */
export async function adjustLines(
  lines: readonly ReadLine<StockLine>[],
  { user, key }: { user: User; key: IdempotencyKey },
  { db, products, lowAt }: { db: Db; products: ProductReader; lowAt: number },
): Promise<Outcome[]> {
  const unknown = await openMissing(db, products, lines)
  return transaction(db, async (tx) => {
    const answered = await claimLines(tx, idempotencyKeys, key, lines)
    const fresh = lines.filter(({ line }) => !answered.has(line))
    const accounts = new Map((await lockAccounts(tx, skusOf(fresh))).map((item) => [item.sku, item]))
    const { outcomes, changed, rows } = decide(fresh, accounts, user, unknown)
    const filled = await fillBackorders(
      tx,
      [...changed].map((sku) => accounts.get(sku)!),
    )
    await Promise.all([
      saveAccounts(tx, filled, lowAt),
      insertAdjustments(tx, rows),
      keepOutcomes(tx, idempotencyKeys, key, outcomes),
    ])
    return lines.map(({ line }) => answered.get(line) ?? outcomes.get(line)!)
  })
}

/** Returns the SKUs of lines, each once. */
const skusOf = (lines: readonly ReadLine<StockLine>[]) =>
  [...new Set(lines.map(({ value }) => value.sku))].map((sku) => ({ sku }))

/** Decides each line, one after another, and changes the accounts. */
function decide(
  lines: readonly ReadLine<StockLine>[],
  accounts: Map<string, ItemRow>,
  user: User,
  unknown: ReadonlyMap<string, Problem>,
) {
  const outcomes = new Map<number, Outcome>()
  const changed = new Set<string>()
  const rows: (typeof adjustments.$inferInsert)[] = []
  for (const { line, value } of lines) {
    const { sku, quantity, reason, note = null } = value
    const account = accounts.get(sku)
    if (account === undefined || (user.role === 'seller' && account.sellerId !== user.id)) {
      outcomes.set(line, unknown.get(sku) ?? noStock())
      continue
    }
    const adjusted = adjust(account, quantity)
    if (adjusted === undefined) {
      const detail = `${account.available} of ${sku} are available.`
      outcomes.set(line, new Problem(problems['stock-too-low'], { detail }))
      continue
    }
    const id = uuidv7()
    accounts.set(sku, adjusted)
    changed.add(sku)
    rows.push({ id, sku, quantity, reason, note, userId: user.id, at: new Date() })
    outcomes.set(line, { sku, adjustmentId: id, available: adjusted.available })
  }
  return { outcomes, changed, rows }
}

async function insertAdjustments(tx: Tx, rows: readonly (typeof adjustments.$inferInsert)[]): Promise<void> {
  if (rows.length > 0) await tx.insert(adjustments).values([...rows])
}

/**
 * Opens the accounts of SKUs whose `product.created` has not arrived yet.
 * @returns why there is none, for those that have none
 */
async function openMissing(
  db: Db,
  products: ProductReader,
  lines: readonly ReadLine<StockLine>[],
): Promise<Map<string, Problem>> {
  const wanted = skusOf(lines)
  const known = await db.client<{ sku: string }[]>`
    select sku from stock.items
    where sku = any(array(select jsonb_array_elements_text(${JSON.stringify(wanted.map(({ sku }) => sku))}::jsonb)))`
  const there = new Set(known.map(({ sku }) => sku))
  const found = new Map<string, Problem>()
  for (const { sku } of wanted.filter(({ sku }) => !there.has(sku)))
    try {
      await findAccount(db, products, sku)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      found.set(sku, error)
    }
  return found
}
