import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { openClient, type Client, type Middleware, type Schemas } from './client.ts'
import { good } from './good.ts'

/** An access token is renewed before a request if it expires within this time, in ms. */
const renewBeforeMs = 60_000

/** A client that is logged in. */
export interface Person extends Client {
  user: Schemas['User']
  /** The access token that the next request sends. */
  token: () => Promise<string>
}

export type ShopClient = ReturnType<typeof shopClient>

/**
 * Returns an anonymous client, which can register and log in.
 * @param url the shop's URL, without a path
 * @param middleware applies to this client and to those that it opens
 */
export function shopClient(url: string, middleware: Middleware[] = []) {
  const anyone = openClient(url, { middleware })
  const open = (token: () => Promise<string>) => openClient(url, { token, middleware })

  /** Returns the client of a person. It logs in again before the access token expires. */
  async function logIn({ email, password }: Schemas['Credentials']): Promise<Person> {
    const enter = () => good(anyone.POST('/sessions', { body: { email, password } }))
    let { accessToken, user } = await enter()
    let renewal: Promise<void> | undefined
    const renew = async () => {
      try {
        accessToken = (await enter()).accessToken
      } catch {
        // the old token may still be valid, and the next request tries again
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
    /** Registers a customer and logs in. */
    register: async (account: Partial<Schemas['NewUser']> = {}): Promise<Person> => {
      const body = { email: `${randomUUID()}@example.com`, password: randomUUID(), name: 'Ada', ...account }
      await good(anyone.POST('/users', { body }))
      return logIn(body)
    },
    /** Returns a client that sends this access token. */
    as: (token: string): Client => open(async () => token),
  }
}

/** Returns when an access token expires, in ms since 1970. */
const expiryOf = (token: string) => (decodeJwt(token).exp ?? 0) * 1000
