import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { functions, type FunctionName } from '../functions/table.ts'
import { migrationFolders } from './bundle.ts'
import { makeTrees } from './trees.ts'

const root = join(import.meta.dirname, '..')

/** The files that affect every image, in addition to its sources. */
const recipe = [
  'package-lock.json',
  '.dockerignore',
  'compose/Dockerfile',
  'images/bundle.ts',
  ...[
    'commonjs.ts',
    'compile.js',
    'entries.ts',
    'files.ts',
    'health.cjs',
    'load.cjs',
    'table.ts',
    'trees.ts',
  ].map((file) => `images/${file}`),
]

/** The inputs of the gateway's image, which is not made from the bundle. */
const gateway = ['package-lock.json', '.dockerignore', 'compose/Dockerfile', 'compose/Caddyfile', 'docs']

/** Returns the files and folders of this repository from which each image is made, by the image's name. */
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
 * Returns the last commit that changed an input of each image, by the image's name, so that a commit changes
 * the labels of only those images that it affects. `-dirty` is appended if there are uncommitted changes to
 * the inputs. Returns undefined if git fails, as it does outside of a repository.
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
      const declaration = declarationOf(name)
      const commit = latest(
        await git('log', '-1', format, '--', ...paths),
        declaration === undefined ? '' : await rowCommit(name, declaration),
      )
      const isDirty = [...paths, ...(declaration === undefined ? [] : [declaration])].some(isChanged)
      found.set(name, isDirty ? `${commit}-dirty` : commit)
    }
    return found
  } catch (error) {
    if (error instanceof Error && 'cmd' in error) return undefined
    throw error
  }
}

/** Prints when a commit was made, in seconds since 1970, and its hash. */
const format = '--format=%ct %H'

/** Returns the hash of the later of two commits. Each is printed with `format`, or is empty. */
const latest = (one: string, other: string): string =>
  [one, other].map((line) => line.trim().split(' ')).toSorted(([a], [b]) => Number(b) - Number(a))[0]?.[1] ??
  'unknown'

/**
 * Returns the file that declares a function, because its image contains its row from that file. Returns
 * undefined for other images.
 */
const declarationOf = (name: string): string | undefined =>
  Object.hasOwn(functions, name) ? `functions/${functions[name as FunctionName].domain}/domain.ts` : undefined

/** Returns the last commit that changed a function's row, printed with `format`. */
const rowCommit = (name: string, file: string): Promise<string> =>
  git('log', '-1', format, '--no-patch', '-L', `/^    '${name}':/,/),$/:${file}`)
    // the row is not committed yet
    .catch(() => '')

/** Runs git in the root of the project. Returns its standard output. */
export const git = async (...args: string[]) =>
  (await promisify(execFile)('git', args, { cwd: root, maxBuffer: 1e8 })).stdout

const lines = (text: string) => text.split('\n').filter((line) => line !== '')
