import { randomUUID } from 'node:crypto'
import { good } from '../../../demo/client/good.ts'
import { newOrder } from '../../../demo/client/orders.ts'
import { crashAt, passed } from '../crash.ts'
import { must, tally, times, type Context, type Fault } from '../fault.ts'

const body = () => newOrder([{ sku: 'MUG-BLUE', quantity: 1 }])

/** One key of one user is one order, however often it is sent. */
export const idempotency: Fault = {
  name: 'idempotency',
  title:
    'Idempotency keys: again, 50 at once, another body, another user, after a crash between commit and answer, after its day',
  async run(context) {
    const { shop, traffic, random, injected, say } = context
    const [who, other] = [traffic.people[0]!, traffic.people[1]!]
    const key = `again-${randomUUID()}`
    const first = await traffic.place(who, body(), key)
    for (let n = 0; n < 5; n++) must((await traffic.place(who, body(), key)).id === first.id, 'another order')

    const crowd = `crowd-${randomUUID()}`
    // each gets the one order, or 409 while the first is in flight
    const answers = await times(50, async () => {
      const { data = '', response } = await traffic.sendOnce(who, body(), crowd)
      return { status: response.status, text: data }
    })
    const orders = new Set(answers.filter(({ status }) => status === 201).map(({ text }) => text))
    must(orders.size <= 1, `50 at once were answered ${orders.size} ways`)
    must(
      answers.every(({ status }) => [201, 409].includes(status)),
      JSON.stringify(tally(answers.map((a) => a.status))),
    )
    // asking once more gets the same answer
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
    must(status === 422, `another body under the key was answered ${status}`)
    const theirs = await traffic.place(other, body(), key + random.below(9))
    const text = await good(traffic.sendOnce(other, body(), key))
    must(!text.includes(first.id) && !text.includes(theirs.id), 'another user got the first one’s order')
    traffic.promise(other, `other ${key}`, text)

    await shop.sql(
      (sql) =>
        sql`update orders.idempotency_keys set at = now() - interval '25 hours' where key = ${key} and caller = ${who.user.id}`,
    )
    const late = await good(traffic.sendOnce(who, body(), key))
    must(!late.includes(first.id), 'a key whose day is over is not free')
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
  must(second.id !== first.id, 'a product’s key whose day is over is not free')
}
