import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { functions } from '../functions/table.ts'
import { sourceOf } from './entries.ts'
import { domains, functionNames, imageNames, services } from './table.ts'
import { makeTrees, type Tree, type Trees } from './trees.ts'

const root = join(import.meta.dirname, '..')

/** Returns the line that is added to a source to change it. */
const lineOf = (source: string) => `console.log("changed ${source}")`

/** Returns the trees after a line has been added to each of these sources. */
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

/** Returns the paths of the files that a file loads, relative to the same root. */
const imports = async (path: string, text: string) => {
  // comments are removed, because an import may be quoted in one
  const { code } = await transform(text, { minifyWhitespace: true, format: 'esm' })
  return [...code.matchAll(/(?:from|import)\s*\(?"(\.[^"]+\.js)"/g)].map(([, to]) => join(path, '..', to!))
}

const trees = await makeTrees()
const runtime = trees.get('runtime')!

describe('the trees of the images', () => {
  it('are the runtime, and one for each image', () => {
    expect([...trees.keys()].toSorted()).toEqual(['runtime', ...imageNames].toSorted())
  })

  it('have the main file in the runtime, and each function in its own tree', () => {
    expect(runtime.files.has('functions/main.js')).toBe(true)
    for (const name of functionNames)
      expect([...trees.get(name)!.files.keys()]).toContain(`functions/${name}.js`)
  })

  it('do not contain the Functions Framework, which only functions/framework.ts uses', () => {
    const sources = [...trees.values()].flatMap((tree) => [...tree.sources])
    expect(sources.filter((source) => source.includes('functions-framework'))).toEqual([])
  })

  it.each(imageNames)('contain, for %s and with the runtime, all that its files import', async (name) => {
    const { files } = trees.get(name)!
    for (const [path, text] of files)
      for (const wanted of await imports(path, text))
        expect(files.has(wanted) || runtime.files.has(wanted), `${path} imports ${wanted}`).toBe(true)
  })

  it('have everything that the runtime imports statically in the runtime', async () => {
    for (const [path, text] of runtime.files) {
      const { code } = await transform(text, { minifyWhitespace: true, format: 'esm' })
      for (const [, to] of code.matchAll(/(?:from|import)\s*"(\.[^"]+\.js)"/g))
        expect(runtime.files.has(join(path, '..', to!)), `${path} imports ${to}`).toBe(true)
    }
  })

  it('have no file that is also in the runtime', () => {
    for (const name of imageNames)
      expect([...trees.get(name)!.files.keys()].filter((path) => runtime.files.has(path))).toEqual([])
  })

  it('contain no code of another domain', () => {
    const sources = new Map(functionNames.map((name) => [sourceOf(name), functions[name].domain]))
    for (const name of functionNames)
      for (const source of trees.get(name)!.sources)
        expect(sources.get(source) ?? functions[name].domain, `${name} holds ${source}`).toBe(
          functions[name].domain,
        )
  })

  it('contain, for a domain, the files of all its functions', () => {
    for (const domain of domains) {
      const members = functionNames.filter((name) => functions[name].domain === domain)
      const files = new Map(members.flatMap((name) => [...trees.get(name)!.files]))
      // the domain's own entry lists its functions
      const entry = `functions/${domain}.js`
      files.set(entry, trees.get(domain)!.files.get(entry)!)
      expect(isSame(trees.get(domain)!.files, files)).toBe(true)
    }
  })

  it('have what makes PDF files, and its font, only where that is needed', () => {
    const holders = [...trees].filter(([, { sources }]) =>
      [...sources].some((source) => source.includes('node_modules/pdfkit/')),
    )
    expect(holders.map(([name]) => name).toSorted()).toEqual([
      'get-invoice',
      'get-parcel-label',
      'invoices',
      'shipments',
    ])
    for (const [, { sources }] of holders) expect(sources).toContain('functions/shared/fonts.table.ts')
  })

  it('contain no part of the table', () => {
    for (const { sources } of trees.values())
      for (const source of sources)
        expect(source).not.toMatch(/functions\/(?:table|functions|source|\w+\/domain)\.ts$/)
  })

  it('are the same each time they are made', async () => {
    expect(differing(trees, await makeTrees())).toEqual([])
  })
})

describe('a change of a source', async () => {
  const [order, store] = ['functions/orders/order.ts', 'functions/products/store.ts']
  const sources = [sourceOf('cancel-order'), sourceOf('reserve-stock'), services.relay.source, order, store]
  const changed = await makeChangedTrees(sources)
  const holders = (source: string) =>
    [...changed]
      .filter(([, { files }]) => [...files.values()].some((text) => text.includes(lineOf(source))))
      .map(([name]) => name)
      .toSorted()

  it('changes every image that contains the source, and no other', async () => {
    const all = new Set(sources.flatMap(holders))
    expect(differing(trees, changed).toSorted()).toEqual([...all].toSorted())
  })

  it.each(['cancel-order', 'reserve-stock'] as const)(
    'of %s changes only its image and that of its domain',
    (name) => {
      expect(holders(sourceOf(name))).toEqual([name, functions[name].domain].toSorted())
    },
  )

  it('of the relay changes only the image of the relay', () => {
    expect(holders(services.relay.source)).toEqual(['relay'])
  })

  it('of the rules of orders changes only images of orders', () => {
    expect(holders(order)).toContain('create-order')
    for (const name of holders(order).filter((name) => name !== 'orders'))
      expect(functions).toHaveProperty([name, 'domain'], 'orders')
  })

  it('of the store of products changes images that read products, but neither the runtime nor others', () => {
    expect(holders(store)).not.toContain('runtime')
    expect(holders(store)).toContain('get-product')
    expect(holders(store)).not.toContain('get-order')
  })
})
