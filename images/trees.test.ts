import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { functions } from '../functions/table.ts'
import { sourceOf } from './entries.ts'
import { domains, functionNames, imageNames, services } from './table.ts'
import { makeTrees, type Tree, type Trees } from './trees.ts'

const root = join(import.meta.dirname, '..')

/** The line that is added to a source that changes. */
const lineOf = (source: string) => `console.log("changed ${source}")`

/** The trees after a line has been added to each of these sources. */
const makeChangedTrees = (sources: readonly string[]) =>
  makeTrees({
    plugins: [
      {
        name: 'change',
        setup: (build) =>
          build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            const source = sources.find((source) => path === join(root, source))
            if (source === undefined) return undefined
            return { contents: `${await readFile(path, 'utf8')}\n${lineOf(source)}`, loader: 'ts' }
          }),
      },
    ],
  })

const differing = (before: Trees, after: Trees) =>
  [...before.keys()].filter((name) => !isSame(before.get(name)!.files, after.get(name)!.files))

const isSame = (one: Tree['files'], other: Tree['files']) =>
  one.size === other.size && [...one].every(([path, text]) => other.get(path) === text)

/** What a file loads, as a path from the same root. */
const imports = async (path: string, text: string) => {
  // without comments, in which an import may be quoted
  const { code } = await transform(text, { minifyWhitespace: true, format: 'esm' })
  return [...code.matchAll(/(?:from|import)\s*\(?"(\.[^"]+\.js)"/g)].map(([, to]) => join(path, '..', to!))
}

const trees = await makeTrees()
const runtime = trees.get('runtime')!

describe('the trees of the images', () => {
  it('are one for each image, and the runtime', () => {
    expect([...trees.keys()].toSorted()).toEqual(['runtime', ...imageNames].toSorted())
  })

  it('have the entry in the runtime, and each function in its own', () => {
    expect(runtime.files.has('functions/main.js')).toBe(true)
    for (const name of functionNames)
      expect([...trees.get(name)!.files.keys()]).toContain(`functions/${name}.js`)
  })

  it.each(imageNames)('of %s holds, with the runtime, all that its files import', async (name) => {
    const { files } = trees.get(name)!
    for (const [path, text] of files)
      for (const wanted of await imports(path, text))
        expect(files.has(wanted) || runtime.files.has(wanted), `${path} imports ${wanted}`).toBe(true)
  })

  it('have all that the runtime imports when a module is loaded', async () => {
    for (const [path, text] of runtime.files) {
      const { code } = await transform(text, { minifyWhitespace: true, format: 'esm' })
      for (const [, to] of code.matchAll(/(?:from|import)\s*"(\.[^"]+\.js)"/g))
        expect(runtime.files.has(join(path, '..', to!)), `${path} imports ${to}`).toBe(true)
    }
  })

  it('have no file that the runtime has, too', () => {
    for (const name of imageNames)
      expect([...trees.get(name)!.files.keys()].filter((path) => runtime.files.has(path))).toEqual([])
  })

  it('hold no code of another domain', () => {
    const sources = new Map(functionNames.map((name) => [sourceOf(name), functions[name].domain]))
    for (const name of functionNames)
      for (const source of trees.get(name)!.sources)
        expect(sources.get(source) ?? functions[name].domain, `${name} holds ${source}`).toBe(
          functions[name].domain,
        )
  })

  it('are, for a domain, those of its functions together', () => {
    for (const domain of domains) {
      const members = functionNames.filter((name) => functions[name].domain === domain)
      const files = new Map(members.flatMap((name) => [...trees.get(name)!.files]))
      // and the list of them
      const entry = `functions/${domain}.js`
      files.set(entry, trees.get(domain)!.files.get(entry)!)
      expect(isSame(trees.get(domain)!.files, files)).toBe(true)
    }
  })

  it('hold no part of the table', () => {
    for (const { sources } of trees.values())
      for (const source of sources)
        expect(source).not.toMatch(/functions\/(?:table|functions|source|\w+\/domain)\.ts$/)
  })

  it('are the same each time', async () => {
    expect(differing(trees, await makeTrees())).toEqual([])
  })
})

describe('what changes with a source', async () => {
  const [order, store] = ['functions/orders/order.ts', 'functions/products/store.ts']
  const sources = [sourceOf('cancel-order'), sourceOf('reserve-stock'), services.relay.source, order, store]
  const changed = await makeChangedTrees(sources)
  const holders = (source: string) =>
    [...changed]
      .filter(([, { files }]) => [...files.values()].some((text) => text.includes(lineOf(source))))
      .map(([name]) => name)
      .toSorted()

  it('is every image that holds it, and no other', async () => {
    const all = new Set(sources.flatMap(holders))
    expect(differing(trees, changed).toSorted()).toEqual([...all].toSorted())
  })

  it.each(['cancel-order', 'reserve-stock'] as const)('is %s alone, and its domain, for its file', (name) => {
    expect(holders(sourceOf(name))).toEqual([name, functions[name].domain].toSorted())
  })

  it('is the relay alone for its file', () => {
    expect(holders(services.relay.source)).toEqual(['relay'])
  })

  it('is only where the rules of orders are used for these', () => {
    expect(holders(order)).toContain('create-order')
    for (const name of holders(order).filter((name) => name !== 'orders'))
      expect(functions).toHaveProperty([name, 'domain'], 'orders')
  })

  it('is only what reads products for their store', () => {
    expect(holders(store)).not.toContain('runtime')
    expect(holders(store)).toContain('get-product')
    expect(holders(store)).not.toContain('get-order')
  })
})
