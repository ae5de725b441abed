import { Problem } from '../shared/http/problems.ts'
import type { Tx } from '../shared/store/postgres.ts'
import { problems } from './problems.ts'
import { holderOf, type KnownShipment } from './shipment.ts'
import { saveShipment } from './store.ts'

/** Holds a locked shipment for a worker, from now on. Returns it as it is then. */
export async function holdFor(tx: Tx, row: KnownShipment, workerId: string, heldMs: number) {
  const takenUntil = new Date(Date.now() + heldMs)
  await tx.emit('shipment.deadline-reached', row.id, { orderId: row.id }, { afterMs: heldMs })
  return saveShipment(tx, row, { status: 'taken', workerId, takenUntil })
}

/** @throws Problem 409 if the shipment is not taken by this worker */
export function checkHeld(row: KnownShipment, workerId: string): void {
  if (holderOf(row, new Date()) === workerId) return
  throw new Problem(problems['shipment-not-taken'], {
    detail: 'Only who has taken it packs it: POST …/taking. What was taken for too long waits again.',
  })
}
