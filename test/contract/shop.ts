import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import type { User } from '../../functions/shared/auth/access-token.ts'
import { it } from 'vitest'
import { domainNames, operations, type OperationName } from '../../functions/table.ts'
import { toServer } from '../../functions/shared/process/serve-operation.ts'
import { listen, type Handler } from '../../local/front.ts'
import { checkAnswer, fullPath } from '../openapi.ts'
import { openShop, type Answered, type Send } from '../shop.ts'
import type { Created, Resource } from './fixtures.ts'
import { bodiesOf, fixturesOf, resourceOf } from './known-fixtures.ts'
import { contractOf, takesBody, type Row } from './operations.ts'

/** A shop with every domain, and valid requests to its operations, in which a test changes one thing. */
async function openContractShop() {
  let handler: Handler
  const { server, port } = await listen((request, response) => handler(request, response), 0)
  const started = await Promise.all(domainNames.map(async (domain) => fixturesOf(domain).start?.()))
  const shop = await openShop(
    domainNames,
    Object.assign(
      { FUNCTION_URL: `http://127.0.0.1:${port}` },
      ...started.map((service) => service?.environment),
    ),
  )
  const functions = toServer(shop.app)
  handler = (request, response) => functions.emit('request', request, response)
  for (const domain of domainNames) await fixturesOf(domain).prepare?.(shop)

  const created = new Map<Resource, Promise<Created>>()

  /** Returns the resource that an operation's path names. It is created on the first call. */
  function there(row: Row): Promise<Created> | undefined {
    const resource = resourceOf(row)
    if (resource === undefined) return undefined
    const one = created.get(resource) ?? resource.create(shop)
    created.set(resource, one)
    return one
  }

  /** Returns the parameters of an operation's path that name an existing resource. */
  const parametersOf = async (name: OperationName): Promise<Readonly<Record<string, string>>> =>
    (await there(operations[name]))?.parameters ?? {}

  /** Returns a path of an operation that names an existing resource, except for the given parameters. */
  async function pathOf(name: OperationName, parameters: Record<string, string> = {}): Promise<string> {
    const row: Row = operations[name]
    const all = { ...(await parametersOf(name)), ...parameters }
    return row.path.replace('/api/v1', '').replaceAll(/\{(\w+)\}/g, (_, parameter: string) => all[parameter]!)
  }

  /** Returns a caller who may call the operation and see the resource. */
  async function callerOf(name: OperationName): Promise<Pick<Send, 'as'>> {
    const row: Row = operations[name]
    const owner = await ownerOf(row)
    if (row.by === 'anyone') return row.method === 'get' || owner === undefined ? {} : { as: owner }
    if (row.by === 'user') return { as: owner ?? 'customer' }
    return { as: owner && row.by.includes(owner.role) ? owner : row.by[0]! }
  }

  async function ownerOf(row: Row): Promise<User | undefined> {
    const role = resourceOf(row)?.owner
    if (role === undefined) return undefined
    const id = (await there(row))?.owner
    return { ...shop.users[role], ...(id !== undefined && { id }) }
  }

  /** Sends a valid request to an operation, except for the given parts. */
  async function send(name: OperationName, given: Send = {}, path?: string): Promise<Answered> {
    const row: Row = operations[name]
    const body = takesBody(row, contractOf(name)) ? { body: bodiesOf(name)[0] } : {}
    const all = { ...(await callerOf(name)), ...body, ...given }
    const to = path ?? (await pathOf(name))
    if (all.as !== undefined)
      await fixturesOf(row.domain).ready?.[name]?.(shop, all.as, parametersIn(row, to))
    const answer = await shop[row.method](to, all)
    // the next request finds another
    const resource = resourceOf(row)
    const isEnded = row.method === 'delete' || resource?.endedBy?.includes(name)
    if (resource !== undefined && isEnded && answer.status < 300) created.delete(resource)
    return answer
  }

  return {
    shop,
    port,
    parametersOf,
    pathOf,
    callerOf,
    send,
    /** Sends a request over a real connection, for what `Request` does not allow. */
    sendRaw: async (
      name: OperationName,
      headers: Record<string, string>,
      body: Iterable<Buffer>,
    ): Promise<Answered> => {
      const path = await pathOf(name)
      const method = operations[name].method.toUpperCase()
      const request = httpRequest({
        port,
        host: '127.0.0.1',
        method,
        path: fullPath(path),
        headers,
      })
      for (const chunk of body) request.write(chunk)
      request.end()
      const [response] = await once(request, 'response')
      const answered = await text(response)
      const isJson = /[/+]json/.test(response.headers['content-type'])
      const answer = {
        status: response.statusCode,
        headers: new Headers(response.headers),
        text: answered,
        body: isJson ? JSON.parse(answered) : undefined,
      }
      checkAnswer(method, path, answer)
      return answer
    },
    close: async () => {
      server.close()
      server.closeAllConnections()
      await shop.close()
      await Promise.all(started.map(async (service) => service?.close()))
    },
  }
}

/** Returns the values that a path has for the parameters of an operation's path. */
function parametersIn({ path: pattern }: Row, path: string): Readonly<Record<string, string>> {
  const values = `/api/v1${path}`.split(/[/?]/)
  const names = pattern.split('/').map((part) => /^\{(\w+)\}$/.exec(part)?.[1])
  return Object.fromEntries(
    names.flatMap((name, i) => (name === undefined ? [] : [[name, values[i]!] as const])),
  )
}

export type ContractShop = Awaited<ReturnType<typeof openContractShop>>

/** Its hooks are given a shop that all files of a worker share: `sharing.beforeAll(({ shop }) => …)`. */
export const sharing = it.extend(
  'shop',
  { scope: 'worker' },
  // Vitest reads the names of other fixtures from the pattern
  // oxlint-disable-next-line no-empty-pattern
  async ({}, { onCleanup }) => {
    const contract = await openContractShop()
    onCleanup(() => contract.close())
    return contract
  },
)
