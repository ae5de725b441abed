import { randomUUID } from 'node:crypto'
import { good } from '../../../demo/client/good.ts'
import { newOrder } from '../../../demo/client/orders.ts'
import { crashAt, passed } from '../crash.ts'
import { must, tally, times, type Context, type Fault } from '../fault.ts'

const body = () => newOrder([{ sku: 'MUG-BLUE', quantity: 1 }])

/** A key of a user creates one order, however often the request is sent. */
export const idempotency: Fault = {
  name: 'idempotency',
  title:
    'Idempotency keys: used again, 50 times at once, with another body, by another user, after a crash between commit and response, after a day',
  async run(context) {
    const { shop, traffic, random, injected, say } = context
    const [who, other] = [traffic.people[0]!, traffic.people[1]!]
    const key = `again-${randomUUID()}`
    const first = await traffic.place(who, body(), key)
    for (let n = 0; n < 5; n++)
      must((await traffic.place(who, body(), key)).id === first.id, 'the key created another order')

    const crowd = `crowd-${randomUUID()}`
    // each returns the same order, or 409 while the first request is in flight
    const answers = await times(50, async () => {
      const { data = '', response } = await traffic.sendOnce(who, body(), crowd)
      return { status: response.status, text: data }
    })
    const orders = new Set(answers.filter(({ status }) => status === 201).map(({ text }) => text))
    must(orders.size <= 1, `50 at once got ${orders.size} different responses`)
    must(
      answers.every(({ status }) => [201, 409].includes(status)),
      JSON.stringify(tally(answers.map((a) => a.status))),
    )
    // sending the request once more returns the same response
    for (const text of orders) traffic.promise(who, crowd, text)
    await traffic.place(who, body(), crowd)

    const committed = passed(context).find((point) =>
      /^create-order \| functions\/orders\/place-order.* after$/.test(point),
    )
    must(committed !== undefined, 'no order was committed')
    const crash = crashAt(context, committed)
    await traffic.place(who, body())
    must((await crash) !== undefined, 'create-order did not crash')

    const another = newOrder([{ sku: 'MUG-RED', quantity: 2 }])
    const { status } = (await traffic.sendOnce(who, another, key)).response
    must(status === 422, `another body with the same key returned ${status}`)
    const theirs = await traffic.place(other, body(), key + random.below(9))
    const text = await good(traffic.sendOnce(other, body(), key))
    must(!text.includes(first.id) && !text.includes(theirs.id), 'another user got the order of the first')
    traffic.promise(other, `other ${key}`, text)

    await shop.sql(
      (sql) =>
        sql`update orders.idempotency_keys set at = now() - interval '25 hours' where key = ${key} and caller = ${who.user.id}`,
    )
    const late = await good(traffic.sendOnce(who, body(), key))
    must(!late.includes(first.id), 'an expired key cannot be used again')
    traffic.promise(who, `late ${key}`, late)
    await productOfYesterday(context)
    injected(62)
    say(`50 at once: ${JSON.stringify(tally(answers.map((a) => a.status)))}`)
  },
}

/** Creates a product with a key, and another one with the same key after it has expired. */
export async function productOfYesterday({ shop, traffic }: Context) {
  const key = randomUUID()
  const first = await traffic.addProduct(key)
  const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000)
  await shop.products((products) =>
    products.updateOne({ 'creation.key': key }, { $set: { 'creation.at': yesterday } }),
  )
  const second = await traffic.addProduct(key)
  must(second.id !== first.id, 'a product’s expired key cannot be used again')
}
