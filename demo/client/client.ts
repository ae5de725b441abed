import { randomUUID } from 'node:crypto'
import createClient, { type Client as TypedClient, type Middleware } from 'openapi-fetch'
import type { components, paths } from '../../docs/api.d.ts'

export type { Middleware }
export type Schemas = components['schemas']

/** The paths of the API below /api/v1. */
type Paths = {
  [Path in keyof paths as Path extends `/api/v1${infer Rest}` ? Rest : never]: {
    [Method in keyof paths[Path]]: WithOptionalKey<paths[Path][Method]>
  }
}

/** An operation whose Idempotency-Key is optional. If it is left out, the client sends a new one. */
type WithOptionalKey<Operation> = Operation extends { parameters: { header: { 'Idempotency-Key': string } } }
  ? Omit<Operation, 'parameters'> & {
      parameters: Omit<Operation['parameters'], 'header'> & { header?: { 'Idempotency-Key'?: string } }
    }
  : Operation

/** An openapi-fetch client of a shop's API. It does not throw if a response is not a success (see `good`). */
export type Client = TypedClient<Paths>

/**
 * @param url the shop's URL, without a path
 * @param token returns the access token to send; if undefined, none is sent
 */
export function openClient(
  url: string,
  { token, middleware = [] }: { token?: () => Promise<string>; middleware?: Middleware[] } = {},
): Client {
  const client = createClient<Paths>({ baseUrl: `${url}/api/v1` })
  client.use(idempotencyKeys, ...(token === undefined ? [] : [bearer(token)]), ...middleware)
  return client
}

const idempotencyKeys: Middleware = {
  onRequest({ request }) {
    if (request.method === 'POST' && !request.headers.has('idempotency-key'))
      request.headers.set('idempotency-key', randomUUID())
  },
}

const bearer = (token: () => Promise<string>): Middleware => ({
  async onRequest({ request }) {
    request.headers.set('authorization', `Bearer ${await token()}`)
  },
})
