import { telemetry } from '../functions/shared/telemetry/telemetry.ts'
import type { Cause, OutboxRow } from './emit.ts'

/**
 * Measures what events say, once they are committed: each is emitted once, however often the request or the event behind
 * it is repeated.
 */
export function measureEvents({ emits }: Cause, rows: readonly OutboxRow[]): void {
  const meter = telemetry()
  if (meter === undefined) return
  for (const { type, data } of rows) {
    emits[type]?.measure?.(data, meter)
    if ('orderId' in data && typeof data.orderId === 'string')
      meter.current()?.set({ 'zeroshop.order.id': data.orderId })
  }
}
