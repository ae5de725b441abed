import { lockAccounts, saveAccounts } from './accounts.ts'
import { addReservations, releaseEmpty, setLines } from './reservations.ts'
import { addMovements } from './movements.ts'
import { mergeLines, reserve, reserveSome, type Line } from './stock.ts'
import type { EmitOptions } from '../../events/emit.ts'
import type { EventData } from '../../events/event.ts'
import { batchReaction } from '../../events/reaction.ts'

export const reserveStock = batchReaction('reserve-stock', {
  prepare: (_, { lowAt }) => lowAt,
  write: async (tx, events, [lowAt]) => {
    const orders = events.map(({ data, traceparent }) => ({
      order: reservedFor(data),
      mayBePart: (data.onShortage ?? 'cancel') !== 'cancel',
      lines: mergeLines(data.lines),
      from: { causedBy: { traceparent } },
    }))
    // the two statements of each Promise.all are pipelined
    const [added, held] = await Promise.all([
      addReservations(
        tx,
        orders.map(({ order: { orderId }, lines }) => ({ orderId, lines })),
      ),
      lockAccounts(
        tx,
        orders.flatMap(({ lines }) => lines),
      ),
    ])
    const accounts = new Map(held.map((account) => [account.sku, account]))
    const changed = new Map<string, EmitOptions>()
    const accepted: { orderId: string; lines: Line[] }[] = []
    const partly: typeof accepted = []
    const rejected: string[] = []
    const emitted: Promise<void>[] = []
    // an order that is not added is already cancelled, or already has a reservation
    for (const { order, lines, mayBePart, from } of orders.filter(({ order }) => added.has(order.orderId))) {
      const { orderId } = order
      const all = reserve([...accounts.values()], lines)
      const isPart = mayBePart && all.shortages.length > 0
      const {
        accounts: changes,
        reserved,
        shortages,
      } = isPart
        ? reserveSome([...accounts.values()], lines)
        : { ...all, reserved: all.shortages.length > 0 ? [] : lines }
      for (const account of changes) {
        accounts.set(account.sku, account)
        changed.set(account.sku, from)
      }
      // one of which nothing is there is rejected, whatever becomes of others
      if (reserved.length === 0) rejected.push(orderId)
      else (isPart ? partly : accepted).push({ orderId, lines: reserved })
      emitted.push(
        shortages.length === 0
          ? tx.emit('stock.reserved', orderId, order, from)
          : tx.emit(
              reserved.length === 0 ? 'stock.rejected' : 'stock.partly-reserved',
              orderId,
              { orderId, shortages },
              from,
            ),
      )
    }
    await Promise.all([
      saveAccounts(
        tx,
        [...changed.keys()].map((sku) => accounts.get(sku)!),
        lowAt!,
        (sku) => changed.get(sku)!,
      ),
      addMovements(tx, 'reserved', [...accepted, ...partly]),
      setLines(tx, partly),
      releaseEmpty(tx, rejected),
      ...emitted,
    ])
  },
})

/** Returns what the payment needs of an order. */
const reservedFor = ({ orderId, customerId, total, cardToken }: EventData<'order.placed'>) => ({
  orderId,
  customerId,
  total,
  ...(cardToken !== undefined && { cardToken }),
})
