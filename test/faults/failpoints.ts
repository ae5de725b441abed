/**
 * The places at which a process may crash, found by the build itself in the source of functions and events: around
 * each commit, publish, acknowledgement and outgoing call. What is added later is found as well.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parse } from '@babel/parser'
import type { Plugin } from 'esbuild'
import { MagicString } from 'magic-string'

const root = join(import.meta.dirname, '../..')

/** Calls by the name of their method. */
const kinds: Record<string, string> = {
  // drizzle, postgres.js
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
}
/** Statements of drizzle that commit by themselves where they are made of a database, not of a transaction. */
const statements = new Set(['insert', 'update', 'delete'])

/** A place in the source. */
export interface Site {
  /** `functions/orders/place-order.ts:17 commit` */
  id: string
  start: number
  end: number
  /** Where the work of a transaction is written: it ends right before the commit. */
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

/** The sites of a file, by its path in the project. */
export function sitesOf(path: string, source: string): Site[] {
  const found: Site[] = []
  const visit = (node: Node, parent: Node | undefined) => {
    const kind = kindOf(node, parent)
    if (kind !== undefined) {
      const { start, end } = node
      const site: Site = { id: `${path}:${node.loc.start.line} ${kind}`, start, end }
      const [work] = node['arguments'] as Node[]
      if (nameOf(node['callee'] as Node) === 'transaction' && work !== undefined)
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
  if (node.type !== 'CallExpression') return undefined
  const name = nameOf(node['callee'] as Node)
  const base = chainOf(node)
  if (base.root === 'db' && statements.has(base.first ?? '')) {
    // the last call of the chain is the statement, and a part of another one is none
    const isPart = parent?.type === 'CallExpression' && nameOf(parent['callee'] as Node) === 'as'
    return parent?.type === 'MemberExpression' || isPart ? undefined : 'commit'
  }
  if (name === undefined || !Object.hasOwn(kinds, name)) return undefined
  // the function of this name makes the call
  if (name === 'transaction' && (node['callee'] as Node).type === 'Identifier') return undefined
  // what a transaction does is not there before its commit, and a prepared query's name is no call
  if (name === 'execute' && (base.root === 'tx' || base.methods.includes('prepare'))) return undefined
  return kinds[name]
}

const nameOf = (callee: Node): string | undefined =>
  callee.type === 'Identifier'
    ? (callee['name'] as string)
    : callee.type === 'MemberExpression'
      ? nameOf(callee['property'] as Node)
      : undefined

/** `db.insert(x).values(y)`: its root `db`, its first method `insert`, all of its methods. */
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

/** Puts a failpoint before and after each site, and right before the commit of a transaction, and writes the list of them all into `sites.json`. */
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
