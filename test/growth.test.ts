import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryDataDir } from '../local/stores/temporary.ts'
import { copyProject, wishes, type ProjectCopy } from './project-copy.ts'

/** Tests what a new domain needs, and which images a change affects. */

/** Returns a digest of each image's contents, by the image's name. */
function digests(copy: ProjectCopy): Map<string, string> {
  const script = `import { createHash } from 'node:crypto'
    import { makeTrees } from './images/trees.ts'
    const digest = (files) => createHash('sha256').update(JSON.stringify([...files].toSorted())).digest('hex')
    console.log(JSON.stringify([...await makeTrees()].map(([name, { files }]) => [name, digest(files)])))`
  return new Map(JSON.parse(copy.run('node', '--input-type=module', '-e', script)) as [string, string][])
}

const differing = (before: Map<string, string>, after: Map<string, string>) =>
  [...before.keys(), ...after.keys()]
    .filter((name, i, all) => all.indexOf(name) === i && before.get(name) !== after.get(name))
    .toSorted()

describe('a domain that is added', () => {
  let copy: ProjectCopy
  beforeAll(() => {
    copy = copyProject()
    copy.addDomain('wishes', wishes)
    copy.run('npm', 'run', '--silent', 'generate')
  }, 240_000)
  afterAll(() => copy.remove())

  it('needs only its folder and one line; the rest is generated', () => {
    const byHand = copy.changed().filter((file) => !isGenerated(file))
    expect(byHand.filter((file) => !file.startsWith('functions/wishes/'))).toEqual(['functions/functions.ts'])
  })

  it('passes the type check', () => {
    expect(copy.run('tsc')).toBe('')
  })

  it('runs in the local runner: its operation, its migration, its scheduled event and its reaction', async () => {
    const { dataDir, remove } = temporaryDataDir()
    const shop = spawn(process.execPath, [join(copy.folder, 'local/commands/start.ts')], {
      cwd: copy.folder,
      env: { ...process.env, DATA_DIR: dataDir, PORT: '0', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(shop, 'exit')
    try {
      let url = ''
      for await (const line of createInterface({ input: shop.stdout })) {
        url = /Zeroshop is at (http:\S+)/.exec(line)?.[1] ?? ''
        if (url !== '') break
      }
      shop.stdout.resume()
      const wish = async () => {
        const response = await fetch(`${url}/api/v1/wishes`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ sku: 'MUG-BLUE' }),
        })
        return [response.status, await response.json()]
      }
      expect(await wish()).toEqual([200, { sku: 'MUG-BLUE', reminded: false }])
      await expect
        .poll(wish, { timeout: 30_000, interval: 200 })
        .toEqual([200, { sku: 'MUG-BLUE', reminded: true }])
    } finally {
      shop.kill('SIGTERM')
      await ended
      await remove()
    }
  }, 120_000)
})

/** Returns whether `npm run generate` writes the file. */
const isGenerated = (file: string) =>
  /^(?:README\.md|docs\/(?:api|openapi|asyncapi|capacity|events|functions)\.|docs\/openapi|events\/schemas\/|images\/docker-bake\.hcl|grafana\/(?:dashboards|rules)\/|knative\/|compose\/(?:Caddyfile|compose[.\w]*\.yaml|platform\.yaml))/.test(
    file,
  )

describe('the images', () => {
  let copy: ProjectCopy
  let before: Map<string, string>
  beforeAll(() => {
    copy = copyProject()
    before = digests(copy)
  })
  afterAll(() => copy.remove())

  /** Returns the images that changes affect, and reverts the changes. Bundling everything takes long. */
  function changedBy(...changes: (readonly [file: string, from: string, to: string])[]): string[] {
    for (const [file, from, to] of changes) copy.edit(file, from, to)
    const after = digests(copy)
    for (const [file, from, to] of changes) copy.edit(file, to, from)
    return differing(before, after)
  }

  it('of a function and of its domain, and no others, change if the function’s row or its code changes', () => {
    const row = `'list-orders': get('/api/v1/orders', 'List orders', { by: 'user', fresh: true }),`
    expect(
      changedBy(
        ['functions/orders/domain.ts', row, row.replace(`by: 'user'`, `by: 'user', maxScale: 7`)],
        ['functions/carts/get-cart.ts', 'call.json(shown, 200,', 'call.json(shown, 201,'],
      ),
    ).toEqual(['carts', 'get-cart', 'list-orders', 'orders'])
  })

  it('of the services that move events, and of the migration, are the only ones that change if a reaction is added', () => {
    const line = `    'track-order': on(`
    copy.write(
      'functions/orders/note-price.ts',
      `import { reaction } from '../../events/reaction.ts'
export const notePrice = reaction('note-price', async (_, { once }) => void (await once(async () => {})))
`,
    )
    const added = `    'note-price': on(['product.updated'], 'Notes a price'),\n${line}`
    expect(changedBy(['functions/orders/domain.ts', line, added])).toEqual([
      'dispatcher',
      'migrate',
      'note-price',
      'orders',
      'relay',
    ])
  })
})
