import { setTimeout as pause } from 'node:timers/promises'
import { demoPassword } from '../../../local/people.ts'
import { newOrder } from '../../orders.ts'
import { must, times, type Context, type Fault } from '../fault.ts'

const writers = 50

/** Of many who change the same thing, each builds on the one before. */
export const lostUpdates: Fault = {
  name: 'lost-updates',
  title: `${writers} writers with If-Match on one order, and on one product`,
  async run(context) {
    const { traffic, shop, say, injected } = context
    const who = traffic.people[0]!
    // once it is decided, no step of the saga changes its version
    const { id } = await traffic.place(who, newOrder([{ sku: 'MUG-RED', quantity: 1 }], 'card_approved'))
    await traffic.decided(id)
    const path = `/orders/${id}`
    const before = await read(context, who.token, path)
    const retries = await write(context, who.token, path, (body, n) => ({
      note: `${(body.note ?? '') as string}${n};`,
    }))
    const order = await read(context, who.token, path)
    const notes = (order.body.note as string).split(';').filter(Boolean)
    must(
      notes.length === writers && new Set(notes).size === writers,
      `the note kept ${notes.length} of ${writers}`,
    )
    must(order.version === before.version + writers, `version ${before.version} became ${order.version}`)

    const { id: productId } = await traffic.addProduct()
    const product = `/products/${productId}`
    const first = await read(context, undefined, product)
    const seller = await shop.logIn('seller@example.com', demoPassword)
    const more = await write(context, seller, product, (body) => ({
      price: { amount: (body.price as { amount: number }).amount + 1, currency: 'EUR' },
    }))
    const last = await read(context, undefined, product)
    const grown =
      (last.body.price as { amount: number }).amount - (first.body.price as { amount: number }).amount
    must(grown === writers, `the price grew by ${grown}, not ${writers}`)
    injected(2 * writers)
    say(`${retries + more} refused as stale, and tried again`)
  },
}

interface Read {
  version: number
  etag: string
  body: Record<string, unknown>
}

async function read({ shop }: Context, token: string | undefined, path: string): Promise<Read> {
  const response = await shop.send(token, 'GET', path)
  const etag = response.headers.get('etag') ?? ''
  return {
    etag,
    version: Number(/\d+/.exec(etag)?.[0]),
    body: (await response.json()) as Record<string, unknown>,
  }
}

/** Everyone reads, changes, and begins anew where someone was faster. @returns how often they had to */
async function write(
  context: Context,
  token: string,
  path: string,
  change: (body: Record<string, unknown>, writer: number) => object,
): Promise<number> {
  const counts = await times(writers, async (n) => {
    for (let tries = 0; tries < 1_000; tries++) {
      const { etag, body } = await read(context, token, path)
      const response = await fetch(context.shop.api + path, {
        method: 'PATCH',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'if-match': etag },
        body: JSON.stringify(change(body, n)),
      })
      const text = await response.text()
      if (response.status === 200) return tries
      must(response.status === 412, `${path} was answered ${response.status}: ${text}`)
      // those who were too slow once do not all come back at once
      await pause(context.random.below(400))
    }
    throw new Error(`writer ${n} never got through`)
  })
  return counts.reduce((sum, count) => sum + count, 0)
}
