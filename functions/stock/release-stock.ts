import { eq } from 'drizzle-orm'
import { lockAccounts, saveAccounts } from './accounts.ts'
import { endBackorders, fillBackorders } from './backorders.ts'
import { addMovements } from './movements.ts'
import { releaseReservations } from './reservations.ts'
import { commit, mergeLines, release, reservations, without, type ItemRow, type Line } from './stock.ts'
import { reaction } from '../../events/reaction.ts'

/** Gives reserved stock back. What was shipped of the order, and its customer keeps, is sold. */
export const releaseStock = reaction('release-stock', async ({ data }, { once, lowAt }) => {
  const { orderId } = data
  const kept = mergeLines((data.kept ?? []).flatMap(({ items }) => items))
  await once(async (tx) => {
    const [held] = await releaseReservations(tx, [orderId])
    if (held === undefined) return
    const locked = await lockAccounts(tx, mergeLines([...held.lines, ...(held.backordered ?? [])]))
    const got = held.backordered && (await endBackorders(tx, [orderId])).get(orderId)
    const left = without(mergeLines([...held.lines, ...(got ?? [])]), kept)
    const accounts = await fillBackorders(tx, changed(locked, left, kept))
    await Promise.all([
      saveAccounts(tx, accounts, lowAt),
      addMovements(tx, 'released', [{ orderId, lines: left }]),
      addMovements(tx, 'sold', [{ orderId, lines: kept }]),
      left.length > 0 && tx.emit('stock.released', orderId, { orderId }),
      kept.length > 0 && tx.emit('stock.committed', orderId, { orderId }),
      kept.length > 0 &&
        tx
          .update(reservations)
          .set({ state: 'committed', lines: kept })
          .where(eq(reservations.orderId, orderId)),
    ])
  })
})

/** Returns accounts after some of what an order has reserved was released, and the rest sold. */
function changed(accounts: readonly ItemRow[], released: readonly Line[], sold: readonly Line[]): ItemRow[] {
  const after = (before: readonly ItemRow[], moved: readonly ItemRow[]) =>
    before.map((account) => moved.find(({ sku }) => sku === account.sku) ?? account)
  const freed = after(accounts, release(accounts, released))
  return after(freed, commit(freed, sold))
}
