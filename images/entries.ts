/**
 * What a bundle contains instead of the table: an entry with its own row for each function, and values that
 * are computed when the bundle is built.
 */
import { join, relative } from 'node:path'
import type { Plugin } from 'esbuild'
import {
  domainNames,
  eventDomainsOf,
  functions,
  functionsOf,
  rowOf,
  type Domain,
  type FunctionName,
} from '../functions/table.ts'

const root = join(import.meta.dirname, '..')

/** Returns the path of a function's file, relative to the root of the project. */
export const sourceOf = (name: FunctionName) => `functions/${functions[name].domain}/${name}.ts`

/** Returns the source of a module that is the entry of a function (functions/shared/process/entry.ts). */
function functionEntry(name: FunctionName): string {
  const load = (path: string) => `() => import(${JSON.stringify(`./${path}`)})`
  const { domain } = functions[name]
  return [
    `export const row = ${JSON.stringify(rowOf(name))}`,
    `export const open = ${load(`functions/${domain}/open.ts`)}`,
    `export const load = ${load(sourceOf(name))}`,
    `export const events = [${eventDomainsOf(name)
      .map((of) => load(`functions/${of}/events.ts`))
      .join(', ')}]`,
  ].join('\n')
}

/** Returns the source of a module that is the entry of a domain. It exports the names of its functions. */
const domainEntry = (domain: Domain) =>
  `export const functions = ${JSON.stringify(functionsOf(domain).toSorted())}`

const namespace = 'entry'

/** Returns the name of esbuild's entry point for a function or a domain. */
export const entryPoint = (name: FunctionName | Domain) => `${namespace}:${name}`

/** esbuild's entry points for every function and every domain: `functions/<name>.js`, beside main.js. */
export const entryPoints = [...(Object.keys(functions) as FunctionName[]), ...domainNames].map((name) => ({
  in: entryPoint(name),
  out: `functions/${name}`,
}))

/** Resolves the entry points, and generates their modules. */
export const entries: Plugin = {
  name: 'entries',
  setup(build) {
    build.onResolve({ filter: /^entry:/ }, ({ path }) => ({
      path: path.slice(namespace.length + 1),
      namespace,
    }))
    build.onLoad({ filter: /.*/, namespace }, ({ path }) => ({
      contents: (domainNames as string[]).includes(path)
        ? domainEntry(path as Domain)
        : functionEntry(path as FunctionName),
      resolveDir: root,
    }))
  },
}

/**
 * Replaces modules named `*.table.ts` by the values that they export, which are plain data computed from the
 * table. The bundle then does not contain the table, so an image changes only if the data that it uses
 * changes.
 */
export const tableValues: Plugin = {
  name: 'table values',
  setup(build) {
    build.onLoad({ filter: /\.table\.ts$/ }, async ({ path }) => {
      const values = (await import(path)) as Record<string, unknown>
      return {
        contents: Object.entries(values)
          .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)}`)
          .join('\n'),
      }
    })
    // functions/main.ts uses it only if it runs from source
    build.onResolve({ filter: /\/source\.ts$/ }, ({ path, importer }) =>
      relative(root, importer) === 'functions/main.ts' ? { path, external: true } : undefined,
    )
  },
}
