import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { openClient, type Client, type Middleware, type Schemas } from './client.ts'
import { good } from './good.ts'

/** An access token that expires sooner than this is replaced before a request, in ms. */
const renewBeforeMs = 60_000

/** A client that is logged in. */
export interface Person extends Client {
  user: Schemas['User']
  /** The access token that the next request sends. */
  token: () => Promise<string>
}

export type ShopClient = ReturnType<typeof shopClient>

/**
 * A client that is nobody yet, and the ways to become someone.
 * @param url of the shop, without a path
 * @param middleware of this client and of those that it opens
 */
export function shopClient(url: string, middleware: Middleware[] = []) {
  const anyone = openClient(url, { middleware })
  const open = (token: () => Promise<string>) => openClient(url, { token, middleware })

  /** Someone's client; it logs in again before their access token expires. */
  async function logIn({ email, password }: Schemas['Credentials']): Promise<Person> {
    const enter = () => good(anyone.POST('/sessions', { body: { email, password } }))
    let { accessToken, user } = await enter()
    let renewal: Promise<void> | undefined
    const renew = async () => {
      try {
        accessToken = (await enter()).accessToken
      } catch {
        // the old token may still do, and the next request tries again
      } finally {
        renewal = undefined
      }
    }
    const token = async () => {
      if (expiryOf(accessToken) - Date.now() < renewBeforeMs) await (renewal ??= renew())
      return accessToken
    }
    return { ...open(token), user, token }
  }

  return {
    ...anyone,
    url,
    logIn,
    /** The client of a new customer, logged in. */
    register: async (account: Partial<Schemas['NewUser']> = {}): Promise<Person> => {
      const body = { email: `${randomUUID()}@example.com`, password: randomUUID(), name: 'Ada', ...account }
      await good(anyone.POST('/users', { body }))
      return logIn(body)
    },
    /** The client of whoever this access token belongs to. */
    as: (token: string): Client => open(async () => token),
  }
}

/** When an access token expires, in ms since the epoch. */
const expiryOf = (token: string) => (decodeJwt(token).exp ?? 0) * 1000
