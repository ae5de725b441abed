import { randomUUID } from 'node:crypto'
import { and, asc, eq, gt, lte, sql } from 'drizzle-orm'
import type { Hono } from 'hono'
import { pino } from 'pino'
import postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import { inject } from 'vitest'
import { catalogue } from '../events/catalogue.ts'
import { sourceOf, type EventData, type EventType, type ShopEvent } from '../events/event.ts'
import type { WithOutbox } from '../events/mongodb-outbox.ts'
import { openReaction } from '../events/reaction.ts'
import { collecting } from '../events/relay.ts'
import { outbox, secrets } from '../events/tables.ts'
import { migrateMongodb } from '../functions/migrate-mongodb.ts'
import { openDomain, operationOf, reactionOf } from '../functions/source.ts'
import {
  domains as declarations,
  functionsOf,
  operations,
  rowOf,
  type Domain,
  type OperationName,
  type ReactionName,
} from '../functions/table.ts'
import { openAuthenticator } from '../functions/shared/auth/keys.ts'
import type { EventSpec, Role } from '../functions/shared/domain.ts'
import { createTokens, generateKeys } from '../functions/users/tokens.ts'
import { createApp } from '../functions/shared/http/app.ts'
import { openAddressOf } from '../functions/shared/http/client-address.ts'
import { openLimits } from '../functions/shared/http/limits.ts'
import type { User } from '../functions/shared/auth/access-token.ts'
import { readConfig } from '../functions/shared/process/config.ts'
import type { Opened } from '../functions/shared/process/entry.ts'
import type { Registry } from '../functions/shared/registry.ts'
import { openMongodb, type MongoMigration } from '../functions/shared/store/mongodb.ts'
import { openPostgres, type Db } from '../functions/shared/store/postgres.ts'
import { deliveryKey } from './deliveries.ts'
import { checkAnswer, fullPath } from './openapi.ts'

const testPassword = 'test'

/** The caller, body and headers of a test's request. */
export interface Send {
  as?: User | Role | undefined
  body?: unknown
  headers?: Record<string, string>
  /** The Idempotency-Key. If undefined, each POST has a new one; if null, none is sent. */
  key?: string | null
  ifMatch?: string
}

/** A response of the app, with its JSON parsed. */
export interface Answered {
  status: number
  headers: Headers
  text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests check the body's fields themselves
  body: any
}

/** An entry of the security log. */
type SecurityEntry = Record<string, unknown>

/**
 * The shop of one test file: the functions of the given domains in this process, with their own databases on
 * the run's real stores, and without a broker. Every response is checked against the OpenAPI document.
 * @param options `collects`: whether the events of MongoDB's domains are copied into the outbox, as by a relay;
 *   `beside`: a shop whose databases it shares, as another process does. Close that one last.
 */
export async function openShop(
  domains: Domain[],
  environment: Record<string, string> = {},
  { collects = true, beside }: { collects?: boolean; beside?: { name: string } } = {},
) {
  const stores = inject('stores')
  const database = beside?.name ?? `test_${randomUUID().replaceAll('-', '')}`
  const admin = postgres(stores.postgres, { max: 1, onnotice: () => {} })
  if (beside === undefined)
    await admin.unsafe(`create database ${database} template zeroshop_template strategy file_copy`)
  const { privateKey, publicKeys } = await generateKeys()
  const as = (role: string) => {
    const url = new URL(stores.postgres)
    Object.assign(url, { username: role, password: testPassword, pathname: `/${database}` })
    return url.href
  }
  const mongodbOf = (domain: Domain) => {
    const url = new URL(stores.mongodb)
    url.pathname = `/${database}_${domain}`
    // the whole run shares one small server
    url.searchParams.set('socketTimeoutMS', '60000')
    return url.href
  }
  const config = (domain: Domain) =>
    readConfig(
      {
        DATABASE_URL: as(domain),
        MONGODB_URL: mongodbOf(domain),
        JWT_PRIVATE_KEY: JSON.stringify(privateKey),
        JWT_PUBLIC_KEYS: JSON.stringify(publicKeys),
        FUNCTION_URL: 'http://127.0.0.1:9/{function}',
        PAYMENT_PROVIDER_URL: 'http://127.0.0.1:9',
        PAYMENT_PROVIDER_KEY: 'test',
        PAYMENT_WEBHOOK_KEYS: deliveryKey,
        SECOND_FACTOR_KEY: 'a key for second factors that is long enough',
        STREAM_TICKET_KEY: 'a key for tickets that is long enough',
        SMTP_URL: 'smtp://127.0.0.1:9',
        SMTP_PASSWORD: 'test',
        UNSUBSCRIBE_KEY: 'a key for links that is long enough',
        WEBHOOK_SECRET_KEY: 'a key for webhooks that is long enough',
        CART_TOKEN_KEY: 'a key for carts that is long enough too',
        // tests send more than people do
        LIMITS_FACTOR: '0',
        // the tests share their customers
        UNPAID_PIECES: '1000000',
        ...environment,
      },
      rowOf(functionsOf(domain)[0]!).settings,
    )
  for (const domain of domains.filter((domain) => declarations[domain].store === 'mongodb')) {
    const { migrations }: { migrations: readonly MongoMigration[] } = await import(
      `../functions/${domain}/migrations/index.ts`
    )
    await migrateMongodb({ domain, url: mongodbOf(domain), setting: 'MONGODB_URL', migrations })
  }
  const securityLog: SecurityEntry[] = []
  const level = process.env['LOG_LEVEL']
  const log = pino(
    { level: level ?? 'info' },
    {
      write: (line: string) => {
        if (level !== undefined) process.stdout.write(line)
        if (line.includes('"security":{'))
          securityLog.push((JSON.parse(line) as { security: SecurityEntry }).security)
      },
    },
  )
  const opened = new Map<string, Opened>()
  for (const domain of domains) opened.set(domain, await openDomain(domain, config(domain), log, 'test'))
  // each domain's entry has the dependencies of that domain
  const deps = <D extends Domain>(domain: D) => opened.get(domain)!.deps as Registry['deps'][D]
  const events: Db = openPostgres(as('events'))
  const sources = domains.flatMap((domain) =>
    (declarations[domain].outboxes ?? []).map((name) => ({ domain, name })),
  )
  const collectors = (collects ? sources : []).map(({ domain, name }) => {
    const mongo = openMongodb(mongodbOf(domain), { setting: 'MONGODB_URL' })
    const collector = collecting(
      events,
      { domain, collection: mongo.db.collection<WithOutbox>(name) },
      log,
      50,
    )
    return { stop: () => collector.stop().then(mongo.close) }
  })
  // the role of a domain that leaves secrets
  const leaving: Db = openPostgres(as('orders'))
  const tokens = await createTokens(privateKey, publicKeys)
  const users: Record<Role, User> = {
    customer: { id: uuidv7(), role: 'customer', session: uuidv7() },
    seller: { id: uuidv7(), role: 'seller', session: uuidv7() },
    staff: { id: uuidv7(), role: 'staff', session: uuidv7() },
    admin: { id: uuidv7(), role: 'admin', session: uuidv7() },
  }

  const names = (Object.keys(operations) as OperationName[]).filter((n) =>
    domains.includes(operations[n].domain),
  )
  const shared = config('users')
  const addressOf = openAddressOf(shared)
  const app: Hono = createApp({
    operations: await Promise.all(names.map(operationOf)),
    deps: (domain) => opened.get(domain)!.deps,
    authenticate: openAuthenticator(shared),
    addressOf,
    limits: openLimits(shared, addressOf, (domain) => opened.get(domain)?.requestCounts, log),
    log,
  })

  async function request(method: string, path: string, send: Send = {}): Promise<Answered> {
    const headers = new Headers(send.headers)
    const user = typeof send.as === 'string' ? users[send.as] : send.as
    if (user !== undefined) headers.set('authorization', `Bearer ${await tokens.sign(user)}`)
    if (send.body !== undefined && !headers.has('content-type'))
      headers.set('content-type', 'application/json')
    const key = send.key === undefined && method === 'POST' ? randomUUID() : send.key
    if (key != null) headers.set('idempotency-key', key)
    if (send.ifMatch !== undefined) headers.set('if-match', send.ifMatch)
    const body = typeof send.body === 'string' ? send.body : JSON.stringify(send.body)
    const response = await app.request(fullPath(path), {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    })
    const answer = await read(response)
    checkAnswer(method, path, answer)
    return answer
  }

  /** Runs a reaction on an event, as a delivery does. */
  async function handle(name: ReactionName, event: ShopEvent): Promise<void> {
    const run = await runnerOf(name)
    await run(event)
  }

  async function runnerOf(name: ReactionName) {
    const { row, run, emits } = await reactionOf(name)
    return openReaction(run, opened.get(row.domain)!.deps, { domain: row.domain, emits })
  }

  /** Creates an event as the relay publishes it. */
  function eventOf<T extends EventType>(type: T, given: EventData<T>, more: Partial<ShopEvent> = {}) {
    const spec: EventSpec = catalogue[type]
    const data = spec.data.parse(given) as EventData<T>
    const { orderId, sku = '' } = data as { orderId?: string; sku?: string }
    const source = sourceOf(catalogue[type].domain)
    const event = { id: uuidv7(), type, source, subject: orderId ?? sku, time: new Date(), data, ...more }
    return event as ShopEvent<T>
  }

  return {
    app,
    /** The name of its databases. */
    name: database,
    /** The entries of the security log, oldest first. */
    securityLog,
    users,
    handle,
    deps,
    /** The URL of the database with a domain's role, or with that of the relay and dispatcher (`events`). */
    database: as,
    /** The URL of the database with PostgreSQL's administrator. */
    admin: Object.assign(new URL(stores.postgres), { pathname: `/${database}` }).href,
    /** The URL of the products' database. */
    mongodb: mongodbOf('products'),
    /** The URL of a domain's MongoDB database. */
    mongodbOf,
    /** Returns a new user of a role. The user is not stored. */
    newUser: (role: Role = 'customer'): User => ({ id: uuidv7(), role, session: uuidv7() }),
    sign: (user: User) => tokens.sign(user),
    /** The key that signs access tokens. */
    privateKey,
    request,
    get: (path: string, send?: Send) => request('GET', path, send),
    /** Sends a POST and returns the created resource. @throws if the status is not 201 */
    create: async (path: string, send?: Send) => {
      const { status, text, body } = await request('POST', path, send)
      if (status !== 201) throw new Error(`${status}: ${text}`)
      return body
    },
    post: (path: string, send?: Send) => request('POST', path, send),
    put: (path: string, send?: Send) => request('PUT', path, send),
    patch: (path: string, send?: Send) => request('PATCH', path, send),
    delete: (path: string, send?: Send) => request('DELETE', path, send),
    /** Returns every event in the outbox that is due, oldest first. */
    emitted: async (subject?: string) =>
      (
        await events
          .select()
          .from(outbox)
          .where(lte(outbox.due, sql`now()`))
          .orderBy(asc(outbox.id))
      )
        .filter((row) => subject === undefined || row.subject === subject)
        .map(({ id, type, subject, data }) => ({ id, type, subject, data })),
    /** Returns the scheduled events of a subject, with the seconds until they are due. */
    scheduled: (subject: string) =>
      events
        .select({
          type: outbox.type,
          data: outbox.data,
          seconds: sql<number>`ceil(extract(epoch from ${outbox.due} - now()))::int`,
        })
        .from(outbox)
        .where(and(eq(outbox.subject, subject), gt(outbox.due, sql`now()`)))
        .orderBy(asc(outbox.due)),
    /** Delivers an event to a reaction as the dispatcher does. The same `id` delivers it again. */
    react: async <T extends EventType>(
      name: ReactionName,
      type: T,
      given: EventData<T>,
      id: string = uuidv7(),
    ) => {
      const event = eventOf(type, given, { id })
      await handle(name, event)
      return event
    },
    eventOf,
    /** Runs a reaction on events that wait together. Returns why it failed for each, or undefined. */
    handleAll: async (name: ReactionName, events: readonly ShopEvent[]) => {
      const run = await runnerOf(name)
      const results = await Promise.allSettled(events.map((event) => run(event)))
      return results.map((result) => (result.status === 'rejected' ? (result.reason as Error) : undefined))
    },
    /** Leaves a secret for a domain. */
    leaveSecret: async (recipient: Domain, subject: string, secret: string) => {
      await leaving.insert(secrets).values({ recipient, subject, secret })
    },
    close: async () => {
      await leaving.client.end()
      await Promise.all(collectors.map((collector) => collector.stop()))
      await Promise.all([...opened.values()].map((o) => o.close()))
      await events.client.end()
      if (beside === undefined) await admin.unsafe(`drop database ${database} with (force)`)
      await admin.end()
    },
  }
}

export type TestShop = Awaited<ReturnType<typeof openShop>>

export async function read(response: Response): Promise<Answered> {
  const type = response.headers.get('content-type') ?? ''
  // a stream does not end
  const isStream = type.startsWith('text/event-stream')
  if (isStream) await response.body?.cancel()
  const text = isStream ? '' : await response.text()
  const isJson = /[/+]json/.test(type)
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  }
}
