/**
 * Finds the places at which the fault suite crashes a process, in the source of functions and events, during
 * the build: each commit, publish, acknowledgement and outgoing call. Calls that are added later are found,
 * too.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parse } from '@babel/parser'
import type { Plugin } from 'esbuild'
import { MagicString } from 'magic-string'

const root = join(import.meta.dirname, '../..')

/** The kind of a call, by the name of its method. */
const kinds: Record<string, string> = {
  // Drizzle, postgres.js
  transaction: 'commit',
  unsafe: 'commit',
  execute: 'commit',
  // MongoDB
  insertOne: 'commit',
  insertMany: 'commit',
  updateOne: 'commit',
  updateMany: 'commit',
  replaceOne: 'commit',
  findOneAndUpdate: 'commit',
  findOneAndReplace: 'commit',
  findOneAndDelete: 'commit',
  deleteOne: 'commit',
  deleteMany: 'commit',
  bulkWrite: 'commit',
  // JetStream
  publish: 'publish',
  ack: 'acknowledge',
  nak: 'acknowledge',
  term: 'acknowledge',
  fetch: 'call',
  // functions/shared/http/client.ts
  send: 'call',
}
/** Drizzle statements that commit by themselves if they run on a database and not in a transaction. */
const statements = new Set(['insert', 'update', 'delete'])

/** A place in the source. */
export interface Site {
  /** `functions/orders/place-order.ts:17 commit` */
  id: string
  start: number
  end: number
  /** The function with the work of a transaction. It ends right before the commit. */
  work?: { start: number; end: number }
}

interface Node {
  type: string
  start: number
  end: number
  loc: { start: { line: number } }
  [key: string]: unknown
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'

/** Finds the sites in a source file. @param path the file's path in the project */
export function sitesOf(path: string, source: string): Site[] {
  const found: Site[] = []
  const visit = (node: Node, parent: Node | undefined) => {
    const kind = kindOf(node, parent)
    if (kind !== undefined) {
      const { start, end } = node
      const site: Site = { id: `${path}:${node.loc.start.line} ${kind}`, start, end }
      // a template has none
      const [work] = (node['arguments'] as Node[] | undefined) ?? []
      if (work !== undefined && nameOf(node['callee'] as Node) === 'transaction')
        site.work = { start: work.start, end: work.end }
      found.push(site)
    }
    for (const value of Object.values(node))
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, node)
  }
  const { program } = parse(source, { sourceType: 'module', plugins: ['typescript'] })
  visit(program as unknown as Node, undefined)
  return found
}

function kindOf(node: Node, parent: Node | undefined): string | undefined {
  if (node.type === 'TaggedTemplateExpression') return isStatement(node['tag'] as Node) ? 'commit' : undefined
  if (node.type !== 'CallExpression') return undefined
  const name = nameOf(node['callee'] as Node)
  const base = chainOf(node)
  if (base.root === 'db' && statements.has(base.first ?? '')) {
    // only the last call of the chain is the statement; a part of another statement does not commit
    const isPart = parent?.type === 'CallExpression' && nameOf(parent['callee'] as Node) === 'as'
    return parent?.type === 'MemberExpression' || isPart ? undefined : 'commit'
  }
  if (name === undefined || !Object.hasOwn(kinds, name)) return undefined
  // the helper `transaction` makes the call itself
  if (name === 'transaction' && (node['callee'] as Node).type === 'Identifier') return undefined
  // a statement in a transaction does not commit, and `prepare` only names a query
  if (name === 'execute' && (base.root === 'tx' || base.methods.includes('prepare'))) return undefined
  return kinds[name]
}

/** Whether a template is a statement of postgres.js, `db.client`…``, that is not in a transaction. */
const isStatement = (tag: Node) => chainOf(tag).root === 'db' && nameOf(tag) === 'client'

const nameOf = (callee: Node): string | undefined =>
  callee.type === 'Identifier'
    ? (callee['name'] as string)
    : callee.type === 'MemberExpression'
      ? nameOf(callee['property'] as Node)
      : undefined

/** For `db.insert(x).values(y)`, returns the root `db`, the first method `insert`, and all methods. */
function chainOf(node: Node): { root?: string; first?: string; methods: string[] } {
  const methods: string[] = []
  let at = node
  for (;;) {
    if (at.type === 'CallExpression') at = at['callee'] as Node
    else if (at.type === 'MemberExpression') {
      const name = nameOf(at)
      if (name !== undefined) methods.unshift(name)
      at = at['object'] as Node
    } else break
  }
  return {
    ...(at.type === 'Identifier' && { root: at['name'] as string }),
    ...(methods[0] !== undefined && { first: methods[0] }),
    methods,
  }
}

/**
 * Adds a failpoint before and after each site, and another right before the commit of a transaction. Writes
 * the list of sites to `sites.json`.
 */
export function failpoints(folder: string): Plugin {
  return {
    name: 'failpoints',
    setup(build) {
      const all = new Set<string>()
      build.onLoad({ filter: /\/(?:functions|events)\/.*\.ts$/ }, ({ path }) => {
        const source = readFileSync(path, 'utf8')
        const sites = sitesOf(relative(root, path), source)
        if (sites.length === 0) return undefined
        const text = new MagicString(source)
        for (const { id, start, end, work } of sites) {
          all.add(id)
          text.appendLeft(start, `__failpoint(${JSON.stringify(id)}, () => `)
          text.appendRight(end, ')')
          if (work === undefined) continue
          text.appendLeft(work.start, `__within(${JSON.stringify(id)}, `)
          text.appendRight(work.end, ')')
        }
        const runtime = JSON.stringify(join(import.meta.dirname, 'failpoint-runtime.ts'))
        text.prepend(`import { failpoint as __failpoint, within as __within } from ${runtime};`)
        return { contents: text.toString(), loader: 'ts' }
      })
      build.onEnd(() => writeFileSync(join(folder, 'sites.json'), JSON.stringify([...all].toSorted())))
    },
  }
}
