import type { Logger } from 'pino'
import { isRefusal, type Broker } from './jetstream.ts'

/**
 * Repairs the stream after JetStream has accepted none of a batch of events. A stream that is missing, for
 * example because JetStream has lost its disk, is created. A stream that stays broken, as that of NATS 2.15
 * does after its disk was full, is replaced as soon as JetStream can store messages in a new one. Nothing is
 * lost: the outbox still has every event that is not handled, and the relay publishes it again.
 * @param failingForMs how long JetStream has accepted no event
 * @param patienceMs after how long the stream may be replaced
 * @throws if NATS cannot be reached, in which case the stream may be well
 */
export async function repairStream(
  broker: Broker,
  { failingForMs, patienceMs = 10_000 }: { failingForMs: number; patienceMs?: number },
  log: Logger,
): Promise<void> {
  await broker.ensureStream().catch((error: unknown) => {
    if (!isRefusal(error)) throw error
  })
  if (failingForMs < patienceMs || !(await broker.canStore())) return
  log.error('the stream accepts no events, but a new one would: replacing it')
  await broker.deleteStream()
  await broker.ensureStream()
}
