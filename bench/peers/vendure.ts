import { join } from 'node:path'
import postgres from 'postgres'
import { command } from '../../local/outside.ts'
import { freePort } from '../../local/ports.ts'
import type { Startup } from '../../local/startup.ts'
import { call } from '../harness.ts'
import { type Peer, type ProductRequest, type Shop } from './peer.ts'
import { ownPostgres, production, startNode, untilReady } from './processes.ts'
import { project } from './project.ts'

const version = '3.7.3'
const dependencies = { '@vendure/core': version, '@vendure/harden-plugin': version, pg: '8.16.3' }

/** Vendure, set up as `@vendure/create` does: a server and a worker, which takes its jobs from PostgreSQL. */
export async function vendure(startup: Startup): Promise<Peer> {
  const folder = await project(startup, 'vendure', dependencies)
  const start = ownPostgres(startup)
  const port = await freePort()
  const secrets = { ...production(), VENDURE_DISABLE_TELEMETRY: 'true', PORT: String(port) }
  const first = await start()
  await command(startup, 'Filling Vendure', folder, process.execPath, ['populate.js'], {
    ...secrets,
    DATABASE_URL: first.url,
  })
  await first.stop()

  return {
    start: async () => {
      const store = await start()
      const env = { ...secrets, DATABASE_URL: store.url }
      const started = ['server', 'worker'].map((name) =>
        startNode(startup, { cwd: folder, args: [`${name}.js`], env, log: join(folder, `${name}.log`) }),
      )
      const url = `http://127.0.0.1:${port}/shop-api`
      await untilReady(productOf(url), started)
      const sql = postgres(store.url, { max: 1 })
      return {
        pids: [store.pid!, ...started.map(({ pid }) => pid)],
        product: productOf(url),
        customer: () => customer(url),
        paid: async () => {
          const [row] = await sql<
            [{ count: number }]
          >`select count(*)::int from "order" where state = 'PaymentSettled'`
          return row.count
        },
        stop: async () => {
          await sql.end()
          await Promise.all(started.map((each) => each.stop()))
          await store.stop()
        },
      } satisfies Shop
    },
  }
}

const json = { 'content-type': 'application/json' }
const bodyOf = (query: string, variables: object = {}) => JSON.stringify({ query, variables })

const productOf = (url: string): ProductRequest => ({
  url,
  method: 'POST',
  headers: json,
  body: bodyOf(
    '{ product(id: 1) { id slug name description variants { id sku priceWithTax currencyCode stockLevel } } }',
  ),
})

/** The requests from the cart to the payment. Each returns the order. */
const steps = [
  'addItemToOrder(productVariantId: 1, quantity: 1)',
  'setOrderShippingAddress(input: { fullName: "Ada", streetLine1: "Werkstraße 1", city: "Berlin", postalCode: "10115", countryCode: "DE" })',
  'setOrderShippingMethod(shippingMethodId: [1])',
  'transitionOrderToState(state: "ArrangingPayment")',
  'addPaymentToOrder(input: { method: "card", metadata: {} })',
].map((mutation) =>
  bodyOf(`mutation { made: ${mutation} { ... on Order { state } ... on ErrorResult { message } } }`),
)

/** Registers a customer and logs in. */
async function customer(url: string): Promise<() => Promise<void>> {
  const account = { emailAddress: `${crypto.randomUUID()}@example.com`, password: crypto.randomUUID() }
  const send = async (body: string) => {
    const response = await fetch(url, { method: 'POST', headers: json, body })
    const { errors } = (await response.json()) as { errors?: object[] }
    if (errors !== undefined) throw new Error(`Vendure: ${JSON.stringify(errors)}`)
    return response.headers.get('vendure-auth-token')
  }
  await send(
    bodyOf(
      'mutation ($input: RegisterCustomerInput!) { registerCustomerAccount(input: $input) { __typename } }',
      { input: { ...account, firstName: 'Ada', lastName: 'Lovelace' } },
    ),
  )
  const token = await send(
    bodyOf(
      'mutation ($emailAddress: String!, $password: String!) { login(username: $emailAddress, password: $password) { __typename } }',
      account,
    ),
  )
  const headers = { ...json, authorization: `Bearer ${token}` }
  return async () => {
    let answer = ''
    for (const step of steps) {
      const { status, text } = await call(url, 'POST', headers, step)
      if (status !== 200 || !text.includes('"state"')) throw new Error(`Vendure: ${status} ${text}`)
      answer = text
    }
    if (!answer.includes('"PaymentSettled"')) throw new Error(`Vendure: the order is not paid: ${answer}`)
  }
}
