import { describe, expect, it } from 'vitest'
import { expectProblem } from '../problems.ts'
import { rows, those } from './operations.ts'
import { sharing, type ContractShop } from './shop.ts'

let contract: ContractShop
sharing.beforeAll(({ shop }) => {
  contract = shop
})

describe('an If-Match', () => {
  it.each(those((_, { problems }) => problems?.includes('if-match-missing')))(
    'is required: %s',
    async (name) =>
      expectProblem(
        await contract.send(name),
        'if-match-missing',
        'Read the resource and send its ETag as If-Match.',
      ),
  )

  const stale = [
    '"0"',
    '"99"',
    '"-1"',
    '1',
    'W/"1"',
    '"98", "99"',
    '"one"',
    '"1e0"',
    '',
    '"9999999999999999"',
    '"99-gzip"',
    '"-gzip"',
    'W/"1-gzip"',
    '"1-',
  ]
  it.each(those((_, { problems }) => problems?.includes('stale-version')))(
    'must match the present version: %s',
    async (name) => {
      for (const ifMatch of stale)
        expectProblem(
          await contract.send(name, { ifMatch }),
          'stale-version',
          'Read the resource again and apply your change to what is there.',
        )
    },
  )

  /** Each accepts this version. */
  const accepting: ((version: number) => string)[] = [
    (version) => `"${version}"`,
    (version) => `"${version}-gzip"`,
    (version) => `"${version}-zstd"`,
    (version) => `"${version}/br"`,
    (version) => `"98",W/"1" , "${version}-gzip"`,
    () => '*',
  ]
  it.each(those(({ method }, { problems }) => method === 'patch' && problems?.includes('stale-version')))(
    'may be a list, have the mark of a gateway, or accept any version: %s',
    async (name, { path }) => {
      const [read] = rows.find(([, row]) => row.method === 'get' && row.path === path)!
      let tag = (await contract.send(read)).headers.get('etag')!
      for (const accept of accepting) {
        const changed = await contract.send(name, { ifMatch: accept(Number(tag.slice(1, -1))) })
        const next = changed.headers.get('etag')!
        expect([changed.status === 200 || changed.text, next === tag]).toEqual([true, false])
        tag = next
      }
    },
  )
})

describe('an If-None-Match', () => {
  const versioned = those(({ method }, { headers }) => method === 'get' && headers?.includes('ETag'))
  it.each(versioned)('that names the present version is answered with 304: %s', async (name) => {
    const { headers } = await contract.send(name)
    const tag = headers.get('etag')!
    const caching = ['etag', 'cache-control', 'vary', 'expires', 'content-location']
    for (const known of [tag, `W/${tag}`, tag.replace(/"$/, '-gzip"'), `"other", ${tag}`, '*']) {
      const answer = await contract.send(name, { headers: { 'if-none-match': known } })
      expect([answer.status, answer.text]).toEqual([304, ''])
      for (const header of caching) expect(answer.headers.get(header)).toBe(headers.get(header))
    }
    expect(await contract.send(name, { headers: { 'if-none-match': '"other"' } })).toMatchObject({
      status: 200,
    })
  })
})
