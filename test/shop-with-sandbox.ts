import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import type { EventData } from '../events/catalogue.ts'
import { readSecret } from '../events/secrets.ts'
import { httpProvider } from '../functions/payments/http-provider.ts'
import { payments, type PaymentRow } from '../functions/payments/payment.ts'
import type { Entry } from '../functions/payments/sandbox/sandbox.ts'
import { startSandbox, type SandboxOptions } from '../functions/payments/sandbox/server.ts'
import { toServer } from '../functions/shared/process/serve-operation.ts'
import { listen, type Handler } from '../local/front.ts'
import { deliveryKey } from './deliveries.ts'
import { openShop } from './shop.ts'

const apiKey = 'test-key'

/** The sandbox in this process, with its own journal, which `restart` keeps. */
export async function openSandbox(options: Pick<SandboxOptions, 'slowMs' | 'silentMs' | 'webhooks'> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'zeroshop-sandbox-'))
  const settings = { host: '127.0.0.1', journal: join(dir, 'journal.jsonl'), apiKey, ...options }
  let server = await startSandbox({ ...settings, port: 0 })
  const { port } = server
  const url = `http://127.0.0.1:${port}`
  const authorization = `Bearer ${apiKey}`
  return {
    url,
    apiKey,
    path: settings.journal,
    stop: () => server.close(),
    start: async () => {
      server = await startSandbox({ ...settings, port })
    },
    /** Sends a plain request, like a client in any language. */
    send: async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
      const response = await fetch(url + path, {
        method,
        headers: { authorization, ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      const isJson = (response.headers.get('content-type') ?? '').endsWith('json')
      // oxlint-disable-next-line typescript/no-explicit-any -- tests check the body's fields themselves
      const parsed: any = isJson ? JSON.parse(text) : undefined
      return { status: response.status, text, body: parsed }
    },
    /** Returns the journal, or only the entries of one payment. */
    journal: async (reference?: string): Promise<Entry[]> => {
      const response = await fetch(`${url}/v1/journal`, { headers: { authorization } })
      const lines = (await response.text()).split('\n').filter((line) => line !== '')
      return (
        lines
          // written by the sandbox
          .map((line) => JSON.parse(line) as Entry)
          .filter((entry) => reference === undefined || entry.payment.reference === reference)
      )
    },
    close: async () => {
      await server.close()
      rmSync(dir, { recursive: true })
    },
  }
}

/** Returns what is told of a parcel that costs so much, without tax. */
const parcelShipped = (
  { orderId, customerId, total: { currency } }: EventData<'stock.reserved'>,
  {
    parcelId,
    number,
    amount,
    last = false,
  }: { parcelId: string; number: number; amount: number; last?: boolean },
): EventData<'parcel.shipped'> => ({
  orderId,
  customerId,
  parcelId,
  number,
  items: [{ sku: 'MUG', quantity: 1, discount: 0, net: amount, taxRate: 0, tax: 0, gross: amount }],
  shipping: null,
  amount: { amount, currency },
  last,
  carrier: 'Bike courier',
  trackingNumber: 'BC-4711',
})

/**
 * The payments of a shop with the sandbox as their provider. Requests to it time out after half a second
 * instead of eight, so that tests with a silent card are fast.
 * @param options `hears`: whether the sandbox sends its webhooks
 */
export async function openPayments({ hears = false } = {}) {
  let handler: Handler
  const { server, port } = await listen((request, response) => handler(request, response), 0)
  const url = `http://127.0.0.1:${port}/api/v1/payments/webhooks`
  const webhooks = { url, keys: [deliveryKey], pausesMs: [0, 20, 50, 100, 200, 500, 1_000] }
  const sandbox = await openSandbox({ slowMs: 1_000, silentMs: 3_000, ...(hears && { webhooks }) })
  const shop = await openShop(['payments'], {
    PAYMENT_PROVIDER_URL: sandbox.url,
    PAYMENT_PROVIDER_KEY: sandbox.apiKey,
  })
  const functions = toServer(shop.app)
  handler = (request, response) => functions.emit('request', request, response)
  const deps = shop.deps('payments')
  deps.provider = httpProvider(sandbox.url, sandbox.apiKey, { timeoutMs: 500 })

  /** The card tokens of orders, and those that are left for the payments domain. */
  const tokens = new Map<string, string>()
  const left = new Map<string, Promise<void>>()

  /** Creates an order whose stock is reserved. */
  function reserved(cardToken = 'card_approved', amount = 2500): EventData<'stock.reserved'> {
    const orderId = uuidv7()
    tokens.set(orderId, cardToken)
    return { orderId, customerId: shop.users.customer.id, total: { amount, currency: 'EUR' } }
  }

  /** Leaves the order's token for the payments domain, as create-order does. */
  /** Leaves the token of an order, once. */
  async function leaveToken({ orderId }: { orderId: string }) {
    const token = tokens.get(orderId)
    if (token !== undefined && !left.has(orderId))
      left.set(orderId, shop.leaveSecret('payments', orderId, token))
    await left.get(orderId)
  }

  async function paymentOf(orderId: string): Promise<PaymentRow> {
    const [row] = await deps.db.select().from(payments).where(eq(payments.orderId, orderId))
    if (row === undefined) throw new Error(`order ${orderId} has no payment`)
    return row
  }

  return {
    ...shop,
    db: deps.db,
    sandbox,
    reserved,
    paymentOf,
    /** Returns the order's token, unless it was deleted. */
    tokenOf: ({ orderId }: { orderId: string }) => readSecret(deps.db, orderId),
    leaveToken,
    authorize: async (order: EventData<'stock.reserved'>, id?: string) => {
      await leaveToken(order)
      return shop.react('authorize-payment', 'stock.reserved', order, id)
    },
    capture: ({ orderId }: { orderId: string }, id?: string) =>
      shop.react('capture-payment', 'order.shipped', { orderId }, id),
    /** Ships a parcel of an order, which costs so much. */
    ship: (
      order: EventData<'stock.reserved'>,
      parcel: { parcelId: string; number: number; amount: number; last?: boolean },
      id?: string,
    ) => shop.react('capture-payment', 'parcel.shipped', parcelShipped(order, parcel), id),
    cancel: async (
      { orderId }: { orderId: string },
      id?: string,
      kept?: EventData<'order.cancelled'>['kept'],
    ) => {
      await leaveToken({ orderId })
      const cancelled = { orderId, reason: 'changed my mind', ...(kept && { kept }) }
      return shop.react('void-payment', 'order.cancelled', cancelled, id)
    },
    /** Creates an order that is paid. */
    captured: async (amount = 2500, cardToken = 'card_approved') => {
      const order = reserved(cardToken, amount)
      await leaveToken(order)
      await shop.react('authorize-payment', 'stock.reserved', order)
      await shop.react('capture-payment', 'order.shipped', { orderId: order.orderId })
      return { order, payment: await paymentOf(order.orderId) }
    },
    /** Returns the types of the order's events, in order. */
    told: async ({ orderId }: { orderId: string }) =>
      (await shop.emitted(orderId)).map(({ type }) => type.replace('payment.', '')),
    /** Returns the provider's operations for the order, in order. */
    done: async ({ orderId }: { orderId: string }) => {
      const { id } = await paymentOf(orderId)
      return (await sandbox.journal(id)).filter((e) => e.outcome === 'done').map((e) => e.operation)
    },
    /** Returns who did what the events of a type report. */
    actorsOf: async (type: string, subject: string) => {
      const admin = postgres(shop.admin, { max: 1 })
      const rows = await admin`select actor from events.outbox where type = ${type} and subject = ${subject}`
      await admin.end()
      return rows.map(({ actor }) => actor as unknown)
    },
    close: async () => {
      server.close()
      server.closeAllConnections()
      await sandbox.close()
      await shop.close()
    },
  }
}
