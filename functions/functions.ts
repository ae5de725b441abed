/**
 * The one table of everything that runs: routes, gateways, manifests, OpenAPI and the event dispatcher are
 * made from it. It imports nothing, so that a gateway can read it without loading a single function.
 */

export type Role = 'customer' | 'seller' | 'staff' | 'admin'

/** Who may call: anyone, anyone logged in, or these roles. Ownership of a resource is the function's to check. */
export type Caller = 'anyone' | 'user' | readonly Role[]

/** `zero`: scales on concurrency, down to none. `warm`: never below one. `cpu`: scales on CPU. */
export type Scaling = 'zero' | 'warm' | 'cpu'

export type Domain = 'users' | 'products' | 'stock' | 'orders' | 'payments'

interface Runs {
  /** Whose store it reaches, and so which credentials it is given. */
  domain: Domain
  scaling: Scaling
  /** How many requests one instance takes at once. */
  concurrency: number
  /** How many instances at most. */
  maxScale: number
}

export interface OperationRow extends Runs {
  method: 'get' | 'post' | 'patch' | 'delete'
  path: string
  by: Caller
  /** Needs an Idempotency-Key: it creates or charges. */
  idempotent?: true
  /** An order needs it, from the catalogue to the shipment: what is left out where there is little room is not. */
  core?: true
  summary: string
}

export interface ReactionRow extends Runs {
  /** The event types that it runs on: it has a file in the folder of each. */
  on: readonly string[]
  /** The event that it emits where all goes well: who reacts to that is started meanwhile (events/wake.ts). */
  leadsTo?: string
  summary: string
}

const api = '/api/v1'

type Method = OperationRow['method']
type Given = Pick<OperationRow, 'domain' | 'by' | 'idempotent' | 'core'> & Partial<Runs>

const http = <const M extends Method, const P extends string, const R extends Given>(
  method: M,
  path: P,
  summary: string,
  row: R,
) => ({
  scaling: 'zero' as Scaling,
  concurrency: 50,
  maxScale: 4,
  method,
  path,
  summary,
  ...row,
})

const reaction = <const O extends readonly string[], const D extends Domain>(
  on: O,
  summary: string,
  row: Partial<Runs> & { domain: D; leadsTo?: string },
) => ({ scaling: 'zero' as Scaling, concurrency: 20, maxScale: 3, on, summary, ...row })

const staff = ['staff', 'admin'] as const
const admin = ['admin'] as const

export const operations = {
  'register-user': http('post', `${api}/users`, 'Register a customer', {
    domain: 'users',
    by: 'anyone',
    core: true,
    idempotent: true,
    scaling: 'cpu',
    concurrency: 8,
  }),
  'get-user': http('get', `${api}/users/{id}`, 'Read a user', { domain: 'users', by: 'user' }),
  'list-users': http('get', `${api}/users`, 'List users', { domain: 'users', by: admin }),
  'update-user': http('patch', `${api}/users/{id}`, 'Change a user', {
    domain: 'users',
    by: 'user',
    scaling: 'cpu',
    concurrency: 8,
  }),
  'delete-user': http('delete', `${api}/users/{id}`, 'Delete a user and end their sessions', {
    domain: 'users',
    by: 'user',
  }),

  'log-in': http('post', `${api}/sessions`, 'Log in', {
    domain: 'users',
    by: 'anyone',
    core: true,
    scaling: 'cpu',
    concurrency: 8,
  }),
  'refresh-session': http('post', `${api}/sessions/refresh`, 'Trade a refresh token for new tokens', {
    domain: 'users',
    by: 'anyone',
  }),
  'log-out': http('delete', `${api}/sessions/current`, 'End the session', {
    domain: 'users',
    by: 'user',
  }),
  'get-jwks': http('get', '/.well-known/jwks.json', 'The public keys that verify access tokens', {
    domain: 'users',
    by: 'anyone',
  }),

  'create-product': http('post', `${api}/products`, 'Add a product', {
    domain: 'products',
    by: ['seller', 'admin'],
    idempotent: true,
  }),
  'get-product': http('get', `${api}/products/{id}`, 'Read a product', {
    domain: 'products',
    by: 'anyone',
    core: true,
    maxScale: 10,
  }),
  'list-products': http('get', `${api}/products`, 'Search products', {
    domain: 'products',
    by: 'anyone',
    core: true,
    maxScale: 10,
  }),
  'update-product': http('patch', `${api}/products/{id}`, 'Change a product', {
    domain: 'products',
    by: ['seller', 'admin'],
  }),
  'delete-product': http('delete', `${api}/products/{id}`, 'Take a product off the shop', {
    domain: 'products',
    by: ['seller', 'admin'],
  }),

  'get-stock': http('get', `${api}/stock/{sku}`, 'Read the stock of a SKU', {
    domain: 'stock',
    by: 'anyone',
    core: true,
  }),
  'adjust-stock': http('post', `${api}/stock/{sku}/adjustments`, 'Receive or write off stock', {
    domain: 'stock',
    by: ['seller', 'staff', 'admin'],
    idempotent: true,
  }),

  'create-order': http('post', `${api}/orders`, 'Place an order', {
    domain: 'orders',
    by: 'user',
    core: true,
    idempotent: true,
    concurrency: 100,
    maxScale: 10,
  }),
  'get-order': http('get', `${api}/orders/{id}`, 'Read an order', {
    domain: 'orders',
    by: 'user',
    core: true,
    concurrency: 100,
    maxScale: 10,
  }),
  'list-orders': http('get', `${api}/orders`, 'List orders', { domain: 'orders', by: 'user' }),
  'update-order': http('patch', `${api}/orders/{id}`, 'Change the delivery address or note', {
    domain: 'orders',
    by: 'user',
  }),
  'cancel-order': http('post', `${api}/orders/{id}/cancellation`, 'Cancel an order', {
    domain: 'orders',
    by: 'user',
    core: true,
  }),
  'ship-order': http('post', `${api}/orders/{id}/shipment`, 'Ship an order', {
    domain: 'orders',
    by: staff,
    core: true,
  }),
  'get-order-timeline': http('get', `${api}/orders/{id}/timeline`, 'What happened to an order', {
    domain: 'orders',
    by: 'user',
    core: true,
  }),
  'watch-order': http('get', `${api}/orders/{id}/events`, 'Watch an order as server-sent events', {
    domain: 'orders',
    by: 'user',
    core: true,
    concurrency: 500,
  }),

  'get-payment': http('get', `${api}/payments/{id}`, 'Read a payment', { domain: 'payments', by: 'user' }),
  'list-payments': http('get', `${api}/payments`, 'List payments', {
    domain: 'payments',
    by: 'user',
    core: true,
  }),
  'refund-payment': http('post', `${api}/payments/{id}/refunds`, 'Refund a payment, whole or in part', {
    domain: 'payments',
    by: staff,
    idempotent: true,
  }),
} satisfies Record<string, OperationRow>

export const reactions = {
  'project-product': reaction(
    ['product.created', 'product.updated', 'product.deleted'],
    'Keeps the prices that orders are made at',
    { domain: 'orders' },
  ),
  'open-stock': reaction(['product.created'], 'Opens the stock account of a new SKU', { domain: 'stock' }),

  'reserve-stock': reaction(['order.placed'], 'Reserves every line of the order, or none', {
    domain: 'stock',
    leadsTo: 'stock.reserved',
  }),
  'authorize-payment': reaction(['stock.reserved'], 'Authorises the total with the payment provider', {
    domain: 'payments',
    leadsTo: 'payment.authorized',
  }),
  'confirm-order': reaction(['payment.authorized'], 'Confirms the order', {
    domain: 'orders',
    leadsTo: 'order.confirmed',
  }),
  'abort-order': reaction(
    ['stock.rejected', 'payment.declined', 'payment.capture-failed'],
    'Cancels an order that cannot be fulfilled',
    { domain: 'orders' },
  ),
  'release-stock': reaction(['order.cancelled'], 'Gives reserved stock back', { domain: 'stock' }),
  'void-payment': reaction(['order.cancelled'], 'Voids or refunds what was authorised or captured', {
    domain: 'payments',
  }),
  'capture-payment': reaction(['order.shipped'], 'Captures the authorised total', {
    domain: 'payments',
    leadsTo: 'payment.captured',
  }),
  'finish-refund': reaction(['refund.requested'], 'Has the provider do a refund that was begun', {
    domain: 'payments',
  }),
  'complete-order': reaction(['payment.captured'], 'Completes the order', {
    domain: 'orders',
    leadsTo: 'order.completed',
  }),
  'commit-stock': reaction(['order.completed'], 'Turns reserved stock into sold stock', { domain: 'stock' }),
  'track-order': reaction(
    ['stock.reserved', 'stock.released', 'stock.committed', 'payment.voided', 'payment.refunded'],
    'Keeps the order’s timeline',
    { domain: 'orders' },
  ),
} satisfies Record<string, ReactionRow>

export type OperationName = keyof typeof operations
export type ReactionName = keyof typeof reactions
export type FunctionName = OperationName | ReactionName

/** Every function by name. */
export const functions: Record<FunctionName, OperationRow | ReactionRow> = { ...operations, ...reactions }

/** The reactions that run on an event type. */
export function reactionsOn(type: string): ReactionName[] {
  return (Object.keys(reactions) as ReactionName[]).filter((name) =>
    (reactions[name].on as readonly string[]).includes(type),
  )
}

/** Which store each domain lives in. */
export const stores = {
  users: 'postgres',
  products: 'mongodb',
  stock: 'postgres',
  orders: 'postgres',
  payments: 'postgres',
} as const satisfies Record<Domain, 'postgres' | 'mongodb'>

/** The roles that functions, or the relay and dispatcher (`events`), log in to PostgreSQL with: named like their schema. */
export type DatabaseRole = Exclude<Domain, 'products'> | 'events'
export const databaseRoles: readonly DatabaseRole[] = ['users', 'stock', 'orders', 'payments', 'events']
