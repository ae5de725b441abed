import { describe, expect, it } from 'vitest'
import { uuidv7 } from 'uuidv7'
import { pattern } from '../../compose/caddyfile.ts'
import { sendProblem } from '../../local/activator/problem.ts'
import { listen } from '../../local/front.ts'
import { expectProblem, problems } from '../problems.ts'
import { read } from '../shop.ts'
import { rows } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

/** Whether an operation takes a method at an address, by its own path or by one with a parameter in its place. */
const takes = (address: string, wanted: string) =>
  rows.some(
    ([, { method, path }]) =>
      method.toUpperCase() === wanted && new RegExp(`^${pattern(path)}$`).test(address),
  )

const byPath = Map.groupBy(rows, ([, { path }]) => path)

describe('an address without an operation', () => {
  const detail = 'No function has this path: see /docs.'

  it.each(['/nothing', '/', '/%00'])('returns 404: %s', async (path) =>
    expectProblem(await contract.shop.get(path), 'not-found', detail),
  )

  it('returns 404 for every method', async () =>
    expectProblem(await contract.shop.post('/nothing', { body: {} }), 'not-found', detail))

  const paths = [...byPath.keys()].filter((path) => path.startsWith('/api/v1'))
  it.each(paths)('returns 404, even if it is similar to %s', async (full) => {
    const path = full.replace('/api/v1', '')
    const near = [
      `${path}/x/y/z`,
      `${path}/`,
      `/..${path}`,
      path.replace(/^\/\w/, (start) => start.toUpperCase()),
      ...(path.includes('}/') ? [path.replace(/\{\w+\}/, '')] : []),
    ]
    for (const address of near) expectProblem(await contract.shop.get(address), 'not-found', detail)
  })
})

describe('a method that an address does not have', () => {
  it.each([...byPath])('returns 405 and the allowed methods: %s', async (path, operations) => {
    const methods = operations.map(([, { method }]) => method.toUpperCase())
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].toSorted().join(', ')
    const others = ['GET', 'POST', 'PATCH', 'DELETE', 'PUT', 'OPTIONS'].filter((m) => !takes(path, m))
    for (const method of others) {
      const address = path.replaceAll(/\{\w+\}/g, () => uuidv7())
      const response = await contract.shop.app.request(address, { method })
      expectProblem(
        await read(response),
        'method-not-allowed',
        'This address takes other methods; the Allow header lists them.',
      )
      expect(response.headers.get('allow')).toBe(allow)
    }
  })
})

describe('the local gateway', () => {
  it.each(['not-found', 'method-not-allowed'] as const)('returns %s like a function', async (name) => {
    const { server, port } = await listen((_, response) => sendProblem(response, name), 0)
    const response = await fetch(`http://127.0.0.1:${port}`)
    server.close()
    server.closeAllConnections()
    const [status, title] = problems[name]
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({
      type: `https://zeroshop.dev/problems/${name}`,
      title,
      status,
    })
  })
})
