import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { functions } from '../functions/table.ts'
import { sourceOf } from './entries.ts'
import { domains, functionNames, imageNames, services } from './table.ts'
import { makeTrees, type Tree, type Trees } from './trees.ts'

const root = join(import.meta.dirname, '..')

/** The trees after a line has been added to a source. */
const changed = (source: string) =>
  makeTrees({
    plugins: [
      {
        name: 'change',
        setup: (build) =>
          build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            if (path !== join(root, source)) return undefined
            return { contents: `${await readFile(path, 'utf8')}\nconsole.log('changed')`, loader: 'ts' }
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

describe('the trees of the images', async () => {
  const trees = await makeTrees()
  const runtime = trees.get('runtime')!

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

  it.each(['cancel-order', 'reserve-stock'] as const)(
    'change for %s alone, and its domain, when its file does',
    async (name) => {
      const after = await changed(sourceOf(name))
      expect(differing(trees, after).toSorted()).toEqual([name, functions[name].domain].toSorted())
    },
  )

  it('change for the relay alone when its file does', async () => {
    expect(differing(trees, await changed(services.relay.source))).toEqual(['relay'])
  })

  it('change only where the rules of orders are used when these do', async () => {
    const differs = differing(trees, await changed('functions/orders/order.ts'))
    expect(differs).toContain('create-order')
    for (const name of differs.filter((name) => name !== 'orders'))
      expect(functions).toHaveProperty([name, 'domain'], 'orders')
  })

  it('change only for products when their store does', async () => {
    const differs = differing(trees, await changed('functions/products/store.ts'))
    expect(differs).not.toContain('runtime')
    expect(differs).toContain('get-product')
    expect(differs).not.toContain('get-order')
  })
})
