import { once } from 'node:events'
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { User } from '../../functions/shared/auth/access-token.ts'
import type { OperationName } from '../../functions/table.ts'
import { checkAnswer } from '../openapi.ts'
import { those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

const streaming = those((row) => row.streamSeconds)

it('is limited for every operation that streams', () => {
  for (const [, row] of streaming) {
    expect(row.streams).toBeGreaterThan(0)
    // the largest timeout of a revision in Knative: max-revision-timeout-seconds
    expect(row.streamSeconds).toBeLessThanOrEqual(600)
  }
  expect(those((row) => row.streams)).toEqual(streaming)
  expect(those((_, { contentType = '' }) => /event-stream|ndjson/.test(contentType))).toEqual(streaming)
})

const watching = those((_, { contentType }) => contentType === 'text/event-stream')

/** Opens a stream on a connection of its own. */
async function open(name: OperationName, user: User, method = 'GET') {
  const path = `/api/v1${await contract.pathOf(name)}`
  const headers = { authorization: `Bearer ${await contract.shop.sign(user)}` }
  const sent = request({ host: '127.0.0.1', port: contract.port, method, path, headers, agent: false })
  onTestFinished(() => void sent.destroy())
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  // the test ends it
  sent.on('error', () => {})
  response.on('error', () => {})
  return { sent, response, path }
}

const statusOf = ({ response }: { response: IncomingMessage }) => response.statusCode

describe('the streams of a user', () => {
  it.each(watching)('are limited, and count until they end: %s', async (name, { streams: most = 0 }) => {
    // they may see what belongs to others
    const [user, other] = [contract.shop.newUser('staff'), contract.shop.newUser('admin')]
    const opened: { sent: ClientRequest; response: IncomingMessage }[] = []
    for (let n = 0; n < most; n++) opened.push(await open(name, user))
    expect(opened.map(statusOf)).toEqual(Array<number>(most).fill(200))

    const { response, path } = await open(name, user)
    const refusal = await text(response)
    expect(response).toMatchObject({ statusCode: 429, headers: { 'retry-after': '5' } })
    expect(JSON.parse(refusal)).toMatchObject({
      type: 'https://zeroshop.dev/problems/too-many-streams',
      title: 'Too many streams',
      detail: `You have ${most} streams open, and no more are allowed: close one first.`,
    })
    const headers = new Headers(response.headers as Record<string, string>)
    checkAnswer('GET', path, { status: 429, headers, text: refusal, body: JSON.parse(refusal) })
    // HEAD opens none
    expect(statusOf(await open(name, user, 'HEAD'))).toBe(200)
    expect(statusOf(await open(name, other))).toBe(200)

    opened.pop()!.sent.destroy()
    await expect.poll(async () => statusOf(await open(name, user)), { timeout: 5_000 }).toBe(200)
    expect(statusOf(await open(name, user))).toBe(429)
  })
})
