/** What a bundle has in place of the table: an entry for each function, which holds its row, and values computed once. */
import { join, relative } from 'node:path'
import type { Plugin } from 'esbuild'
import {
  domainNames,
  eventDomainsOf,
  functions,
  functionsOf,
  rowOf,
  type Domain,
} from '../functions/table.ts'
import type { FunctionName } from '../functions/table.ts'

const root = join(import.meta.dirname, '..')

/** The file of a function, from the root of the project. */
export const sourceOf = (name: FunctionName) => `functions/${functions[name].domain}/${name}.ts`

/** The entry of a function (functions/shared/process/entry.ts), as a module. */
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

/** The entry of a domain, as a module: the names of its functions. */
const domainEntry = (domain: Domain) =>
  `export const functions = ${JSON.stringify(functionsOf(domain).toSorted())}`

const namespace = 'entry'

/** The name under which the bundle has the entry of a function or a domain as an entry point. */
export const entryPoint = (name: FunctionName | Domain) => `${namespace}:${name}`

/** Entry points of esbuild for every function and every domain: `functions/<name>.js` beside main.js. */
export const entryPoints = [...(Object.keys(functions) as FunctionName[]), ...domainNames].map((name) => ({
  in: entryPoint(name),
  out: `functions/${name}`,
}))

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
 * A module named `*.table.ts` exports plain data that it computes from the table. A bundle holds the data, not the
 * table: so an image changes only with what it uses of the table.
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
    // only used from source, as functions/main.ts says
    build.onResolve({ filter: /\/source\.ts$/ }, ({ path, importer }) =>
      relative(root, importer) === 'functions/main.ts' ? { path, external: true } : undefined,
    )
  },
}
