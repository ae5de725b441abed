import { randomUUID } from 'node:crypto'
import { good } from '../../../demo/client/good.ts'
import type { Change } from './change.ts'
import { at, withKey, type Scene } from './scene.ts'

/** Registers a user, who logs in and out or deletes the account. */
export function createVisit({ shop, random, insist, promised }: Scene, change: Change) {
  const anyone = shop.unchecked

  async function register() {
    const credentials = { email: `${randomUUID()}@example.com`, password: randomUUID() }
    const params = withKey()
    const body = { ...credentials, name: 'Ada' }
    const { id } = await good(insist('a registration', () => anyone.POST('/users', { params, body })))
    promised.registered.add(id)
    return {
      id,
      password: credentials.password,
      logIn: () => insist('a log-in', () => anyone.POST('/sessions', { body: credentials })),
    }
  }

  return async function visit() {
    const { id, password, logIn } = await register()
    const { accessToken, refreshToken } = await good(logIn())
    await insist('a refresh', () => anyone.POST('/sessions/refresh', { body: { refreshToken } }))
    const user = anyone.as(accessToken)
    await change(
      () => user.GET('/users/{id}', at(id)),
      (header) =>
        user.PATCH('/users/{id}', { params: { path: { id }, header }, body: { name: 'Ada Lovelace' } }),
    )
    const again = anyone.as((await good(logIn())).accessToken)
    if (random.next() < 0.5) {
      await insist('a log-out', () => again.DELETE('/sessions/current'))
      return
    }
    const body = { currentPassword: password }
    const left = await insist('a departure', () => again.DELETE('/users/{id}', { ...at(id), body }))
    // a process with a wrong clock may refuse the token, and after a lost response the token is invalid
    if (left.response.status !== 204) return
    promised.left.add(id)
    // failed log-ins from one address are limited, so only some try
    if (random.next() < 0.7) return
    const { status } = (await logIn()).response
    if (status !== 401) throw new Error(`A deleted user logged in and the response was ${status}`)
  }
}
