import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { migrationFolders } from './bundle.ts'
import { makeTrees } from './trees.ts'

const root = join(import.meta.dirname, '..')

/** What every image is made with, beside its sources. */
const recipe = [
  'package-lock.json',
  '.dockerignore',
  'compose/Dockerfile',
  'images/bundle.ts',
  ...['entries.ts', 'files.ts', 'table.ts', 'trees.ts', 'warm.js', 'health.cjs'].map(
    (file) => `images/${file}`,
  ),
]

/** Of the gateway, which is not made from the bundle. */
const gateway = ['package-lock.json', '.dockerignore', 'compose/Dockerfile', 'compose/Caddyfile', 'docs']

/** What each image is made of: files and folders of this repository, by the image's name. */
export async function inputs(): Promise<Map<string, string[]>> {
  const trees = await makeTrees()
  const ours = (name: string) =>
    [...trees.get(name)!.sources].filter((source) => !/^node_modules\/|^[\w-]+:/.test(source))
  const shared = [...recipe, ...ours('runtime')]
  return new Map([
    ...[...trees.keys()]
      .filter((name) => name !== 'runtime')
      .map((name): [string, string[]] => [name, [...shared, ...ours(name)]]),
    ['migrate', [...shared, ...ours('migrate'), ...migrationFolders]],
    ['gateway', gateway],
  ])
}

/**
 * The last commit that changed anything an image is made of, by the image's name; `-dirty` where something of it is
 * not committed. So a commit changes the labels of those images only that it is about. Undefined without git.
 */
export async function revisions(of = inputs()): Promise<Map<string, string> | undefined> {
  try {
    const changed = lines(await git('diff', '--name-only', '--relative', 'HEAD')).concat(
      lines(await git('ls-files', '--others', '--exclude-standard')),
    )
    const isChanged = (input: string) =>
      changed.some((path) => path === input || path.startsWith(`${input}/`))
    const found = new Map<string, string>()
    for (const [name, paths] of await of) {
      const commit = (await git('log', '-1', '--format=%H', '--', ...paths)).trim() || 'unknown'
      found.set(name, paths.some(isChanged) ? `${commit}-dirty` : commit)
    }
    return found
  } catch (error) {
    if (error instanceof Error && 'cmd' in error) return undefined
    throw error
  }
}

const git = async (...args: string[]) =>
  (await promisify(execFile)('git', args, { cwd: root, maxBuffer: 1e8 })).stdout

const lines = (text: string) => text.split('\n').filter((line) => line !== '')
