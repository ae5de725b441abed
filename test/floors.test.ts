import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { domainNames } from '../functions/table.ts'

/**
 * Imports go one way only: shared code ◄ domains ◄ the table, the entry and the events' services ◄ images,
 * local, compose, knative, grafana ◄ demo, docs ◄ bench, test.
 */

const root = join(import.meta.dirname, '..')

/** The files that declare, write and read events. They are below the domains, like functions/shared. */
const core = new Set(
  [
    'event',
    'emit',
    'tables',
    'cloud-event',
    'signature',
    'receive',
    'groups',
    'reaction',
    'mongodb-outbox',
    'state-events',
    'secrets',
    'measure',
    'spans',
    'encode',
  ].map((name) => `events/${name}.ts`),
)

const domainOf = (path: string) => domainNames.find((domain) => path.startsWith(`functions/${domain}/`))

function floorOf(path: string): number {
  const [folder = ''] = path.split('/')
  // anything may read the version
  if (path === 'package.json' || path.startsWith('functions/shared/') || core.has(path)) return 0
  if (domainOf(path) !== undefined) return 1
  const floors: Record<string, number> = {
    functions: 2,
    events: 2,
    images: 3,
    local: 3,
    compose: 3,
    knative: 3,
    // but not the program that draws them
    grafana: path.startsWith('grafana/pictures/') ? 5 : 3,
  }
  return floors[folder] ?? (folder === 'demo' || folder === 'docs' ? 4 : 5)
}

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  // tests and their helpers may import anything
  .filter((path) => /^(?:functions|events|images|local|compose|knative|grafana|demo|docs)\//.test(path))
  .filter((path) => !/\.test\.ts$|\/fixtures(?:\.ts$|\/)/.test(path))

/** The project's files that a file imports, including imports of types. */
function importsOf(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8')
  return [...text.matchAll(/(?:from |import\()'(\.[^']+)'/g)].map(([, to]) => join(path, '..', to!))
}

const found = files.flatMap((from) => importsOf(from).map((to) => ({ from, to })))

describe('imports', () => {
  it('are found', () => {
    expect(found.length).toBeGreaterThan(500)
    expect(found).toContainEqual({
      from: 'functions/orders/cancel-order.ts',
      to: 'functions/orders/store.ts',
    })
  })

  it('never go to a higher floor', () => {
    expect(found.filter(({ from, to }) => floorOf(to) > floorOf(from))).toEqual([])
  })

  it('never go from one domain to another', () => {
    const across = found.filter(({ from, to }) => floorOf(from) === 1 && floorOf(to) === 1)
    expect(across.filter(({ from, to }) => domainOf(from) !== domainOf(to))).toEqual([])
  })
})

describe('a domain’s name', () => {
  it.each(domainNames)('is written only in its folder and in functions/functions.ts: %s', (domain) => {
    const quoted = new RegExp(`['"\`]${domain}['"\`]`)
    const naming = files.filter(
      (path) => ![1, 4].includes(floorOf(path)) && quoted.test(readFileSync(join(root, path), 'utf8')),
    )
    expect(naming).toEqual([])
    const lines = readFileSync(join(root, 'functions/functions.ts'), 'utf8').split('\n')
    expect(lines.filter((line) => line.includes(`/${domain}/`))).toHaveLength(1)
  })
})
