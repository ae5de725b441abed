import { setTimeout as pause } from 'node:timers/promises'
import { good } from '../../../demo/client/good.ts'
import { newOrder } from '../../../demo/client/orders.ts'
import { must, times, type Context, type Fault } from '../fault.ts'
import { at } from '../traffic/scene.ts'

const writers = 50

/** When many change the same thing, no change is lost. */
export const lostUpdates: Fault = {
  name: 'lost-updates',
  title: `${writers} writers with If-Match on one order, and on one product`,
  async run(context) {
    const { say, injected } = context
    const retries = (await writeNotes(context)) + (await raisePrice(context))
    injected(2 * writers)
    say(`${retries} refused as stale, and tried again`)
  },
}

/** Everyone adds to the note of one order. @returns how often someone had to start over */
async function writeNotes(context: Context): Promise<number> {
  const { traffic } = context
  const who = traffic.people[0]!
  // once it is decided, no step of the saga changes its version
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

/** Everyone raises the price of one product by 1. @returns how often someone had to start over */
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
 * Lets many writers change the same thing at once; a writer whose version is stale starts over.
 * @param change reads it and sends one writer's change
 * @returns how often someone had to start over
 */
async function writeByMany(
  { random }: Context,
  change: (writer: number) => Promise<{ error?: unknown; response: Response }>,
): Promise<number> {
  const counts = await times(writers, async (n) => {
    for (let tries = 0; tries < 1_000; tries++) {
      const { error, response } = await change(n)
      if (response.status === 200) return tries
      must(
        response.status === 412,
        `${response.url} was answered ${response.status}: ${JSON.stringify(error)}`,
      )
      // spread the retries
      await pause(random.below(400))
    }
    throw new Error(`writer ${n} never got through`)
  })
  return counts.reduce((sum, count) => sum + count, 0)
}
