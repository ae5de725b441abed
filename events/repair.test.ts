import { pino } from 'pino'
import { connect, type JetStreamManager, type NatsConnection } from 'nats'
import { uuidv7 } from 'uuidv7'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startNats } from '../local/stores/nats.ts'
import type { Store } from '../local/stores/store.ts'
import { temporaryDataDir } from '../local/stores/temporary.ts'
import { cannotMount, mountDisk, type Disk } from '../test/faults/disk.ts'
import { encode } from './encode.ts'
import { connectBroker, type Broker } from './jetstream.ts'
import { natsOptions } from './nats-url.ts'
import { repairStream } from './repair.ts'

/** NATS 2.15 gives no answer when its disk is full, earlier ones do. */
const refused = /sealed|TIMEOUT|503/

const log = pino({ level: 'silent' })

const event = () => ({
  id: uuidv7(),
  type: 'order.cancelled',
  source: '/orders',
  subject: uuidv7(),
  time: new Date(),
  traceparent: null,
  actor: null,
  data: JSON.stringify({ orderId: uuidv7(), reason: 'a test' }),
})

describe('a stream that accepts no events', () => {
  let dataDir: string
  let remove: () => Promise<void>
  let disk: Disk | undefined
  let nats: Store
  let broker: Broker
  let connection: NatsConnection
  let manager: JetStreamManager

  const start = async ({ megabytes }: { megabytes?: number } = {}) => {
    ;({ dataDir, remove } = temporaryDataDir())
    if (megabytes !== undefined) disk = mountDisk(dataDir, megabytes)
    nats = await startNats({ dataDir, env: { PATH: process.env['PATH'] }, durable: false })
    broker = await connectBroker(nats.url)
    connection = await connect(natsOptions(nats.url))
    manager = await connection.jetstreamManager()
    await broker.ensureStream()
  }
  const publish = () => broker.publish(encode(event()), uuidv7())

  beforeEach(() => (disk = undefined))
  afterEach(async () => {
    await Promise.all([broker.close(), connection.close()])
    await nats.stop()
    disk?.unmount()
    await remove()
  })

  /** Makes the stream refuse everything, for good. */
  const seal = async () => {
    const { config } = await manager.streams.info('zeroshop')
    await manager.streams.update('zeroshop', Object.assign(config, { sealed: true }))
    await expect(publish()).rejects.toThrow(refused)
  }

  it('is replaced if a new one would accept them', async () => {
    await start()
    await publish()
    await seal()
    await repairStream(broker, { failingForMs: 10_000 }, log)
    expect(await publish()).toBe(1)
    expect(await broker.count()).toBe(1)
  })

  it('is left alone at first', async () => {
    await start()
    await publish()
    await seal()
    await repairStream(broker, { failingForMs: 9_000 }, log)
    expect(await broker.count()).toBe(1)
    await expect(publish()).rejects.toThrow(refused)
  })

  it.skipIf(cannotMount !== undefined)('is replaced after its disk was full, and not before', async () => {
    await start({ megabytes: 16 })
    await publish()
    disk!.fill()
    // a block of the disk has room for some events
    await expect(
      (async () => {
        for (;;) await publish()
      })(),
    ).rejects.toThrow(refused)
    const before = await broker.count()
    await repairStream(broker, { failingForMs: 10_000 }, log)
    expect(await broker.count()).toBe(before)
    disk!.free()
    await repairStream(broker, { failingForMs: 10_000 }, log)
    expect(await publish()).toBeGreaterThan(0)
  })

  it('is not touched if NATS cannot be reached', async () => {
    await start()
    await nats.stop()
    await expect(repairStream(broker, { failingForMs: 60_000 }, log)).rejects.toThrow(/TIMEOUT|DISCONNECT/)
  })
})
