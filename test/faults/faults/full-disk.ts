import { setTimeout as pause } from 'node:timers/promises'
import { everythingWorks, must, until, type Context, type Fault } from '../fault.ts'

const fullMs = 15_000
/** How long it may take until everything works again. A store is started again after pauses of up to 30 s. */
const healMs = 120_000

/** The disk of each store is full for some seconds while people order. Nobody restarts anything by hand. */
export const fullDisk: Fault = {
  name: 'full-disk',
  title:
    'The disk of NATS, that of the MongoDB-compatible store, and that of PostgreSQL and everything else full for 15 s, under npm start',
  isEmbedded: true,
  brokerAwayMs: 3 * (fullMs + healMs),
  async run({ shop, traffic, injected, say }) {
    const busy = traffic.run({ atOnce: 3, pauseMs: 50 })
    await pause(3_000)
    for (const { name, fill, free } of shop.disks) {
      fill()
      const full = pause(fullMs)
      let refusals: string
      try {
        refusals = await write(shop, name)
      } finally {
        await full
        free()
      }
      injected()
      const began = performance.now()
      await everythingWorks(traffic, healMs)
      await until('nothing is degraded', async () => (await shop.degraded()).length === 0, healMs)
      const seconds = ((performance.now() - began) / 1000).toFixed(0)
      say(`${name} refused to write (${refusals}); all well ${seconds} s after there was room`)
    }
    await busy.stop()
  },
}

/**
 * Writes into a store whose disk is full, as it may have some room of its own left, and as some break only when they are
 * written to again. Returns the store's first words.
 */
async function write(shop: Context['shop'], name: string): Promise<string> {
  // as large as fills also what PostgreSQL keeps for its log, on a busy machine
  const block = 'x'.repeat(name === 'postgres' ? 500_000 : 2_000)
  const end = performance.now() + fullMs
  // a store that breaks may leave a query without an answer
  const silence = pause(fullMs + 5_000).then(() => {
    throw new Error('no answer')
  })
  silence.catch(() => {})
  const refusal = async (work: () => Promise<unknown>) => {
    let first: string | undefined
    while (performance.now() < end)
      try {
        await Promise.race([work(), silence])
      } catch (error) {
        first ??= error instanceof Error ? error.message : String(error)
        await pause(50)
      }
    return first
  }
  const refused = await (name === 'nats'
    ? // events are written all the time
      refusal(async () => {
        await pause(200)
        const found = (await shop.degraded()).find(({ store }) => store === 'nats')
        if (found !== undefined) throw new Error(found.reason)
      })
    : name === 'postgres'
      ? // into the log of transactions, without which it cannot run
        shop.sql((sql) => refusal(() => sql`select pg_logical_emit_message(true, 'test', ${block})`))
      : shop.products((products) =>
          refusal(() => products.db.collection('ballast').insertOne({ block: block + Math.random() })),
        ))
  must(refused !== undefined, `${name} went on writing on a full disk`)
  return refused
}
