import { setTimeout as pause } from 'node:timers/promises'
import { good } from '../../../demo/client/good.ts'
import { newOrder } from '../../../demo/client/orders.ts'
import { must, times, type Context, type Fault } from '../fault.ts'
import { at } from '../traffic/scene.ts'

const writers = 50

/** If many clients change the same resource, no change is lost. */
export const lostUpdates: Fault = {
  name: 'lost-updates',
  title: `${writers} writers with If-Match on one order, and on one product`,
  async run(context) {
    const { say, injected } = context
    const retries = (await writeNotes(context)) + (await raisePrice(context))
    injected(2 * writers)
    say(`${retries} refused as stale, and retried`)
  },
}

/** All writers append to the note of one order. @returns the number of retries */
async function writeNotes(context: Context): Promise<number> {
  const { traffic } = context
  const who = traffic.people[0]!
  // once the order is decided, no step of the saga changes its version
  const { id } = await traffic.place(who, newOrder([{ sku: 'MUG-RED', quantity: 1 }]))
  await traffic.decided(id)
  const read = () => who.GET('/orders/{id}', at(id))
  const before = versionOf((await read()).response)
  const retries = await writeByMany(context, async (n) => {
    const { data, response } = await read()
    return who.PATCH('/orders/{id}', {
      params: { path: { id }, header: ifMatch(response) },
      body: { note: `${data?.note ?? ''}${n};` },
    })
  })
  const { data: order, response } = await read()
  const notes = (order?.note ?? '').split(';').filter(Boolean)
  must(
    notes.length === writers && new Set(notes).size === writers,
    `the note kept ${notes.length} of ${writers}`,
  )
  const after = versionOf(response)
  must(after === before + writers, `version ${before} became ${after}`)
  return retries
}

/** All writers raise the price of one product by 1. @returns the number of retries */
async function raisePrice(context: Context): Promise<number> {
  const { seller, addProduct } = context.traffic
  const { id, price: first } = await addProduct()
  const read = () => seller.GET('/products/{id}', at(id))
  const retries = await writeByMany(context, async () => {
    const { data, response } = await read()
    return seller.PATCH('/products/{id}', {
      params: { path: { id }, header: ifMatch(response) },
      body: { price: { amount: data!.price.amount + 1, currency: 'EUR' } },
    })
  })
  const last = (await good(read())).price
  const grown = last.amount - first.amount
  must(grown === writers, `the price grew by ${grown}, not ${writers}`)
  return retries
}

const ifMatch = ({ headers }: Response) => ({ 'If-Match': headers.get('etag') ?? '' })

const versionOf = ({ headers }: Response) => Number(/\d+/.exec(headers.get('etag') ?? '')?.[0])

/**
 * Lets many writers change the same resource at once. A writer whose version is stale starts over.
 * @param change reads the resource and sends one writer's change
 * @returns the number of retries
 */
async function writeByMany(
  { random }: Context,
  change: (writer: number) => Promise<{ error?: unknown; response: Response }>,
): Promise<number> {
  const counts = await times(writers, async (n) => {
    for (let tries = 0; tries < 1_000; tries++) {
      const { error, response } = await change(n)
      if (response.status === 200) return tries
      must(response.status === 412, `${response.url} returned ${response.status}: ${JSON.stringify(error)}`)
      // spread the retries
      await pause(random.below(400))
    }
    throw new Error(`writer ${n} never succeeded`)
  })
  return counts.reduce((sum, count) => sum + count, 0)
}
