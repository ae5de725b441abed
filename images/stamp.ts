import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

/** Tells whether a bundle is still of the same sources, so that a start need not make it again. */

/** What the bundle is made of and by, and a package may be in. */
const sources = ['functions', 'events', 'images', 'package-lock.json']

const Stamp = z.object({
  /** Node's version, because V8 accepts compiled code only in its own. */
  node: z.string(),
  /** Each file from which the bundle was made, and when it was last changed. */
  made: z.record(z.string(), z.string()),
  /** The names of the files that were made. */
  files: z.array(z.string()),
})

/**
 * Makes a bundle and returns its stamp.
 * @param root the project
 * @param make returns which files of packages are in it, relative to `root`, and the names of the files that it wrote
 */
export async function stamped(
  root: string,
  make: () => Promise<{ packages: string[]; files: string[] }>,
): Promise<string> {
  // before it is made: what changes meanwhile is made again at the next start
  const read = changesOf(root, ours(root))
  const { packages, files } = await make()
  const stamp: z.infer<typeof Stamp> = {
    node: process.version,
    made: { ...changesOf(root, packages), ...read },
    files,
  }
  return JSON.stringify(stamp)
}

/** Returns whether a folder has a whole bundle of the sources as they are now. `file` is its stamp. */
export function isCurrent(root: string, folder: string, file: string): boolean {
  if (!existsSync(file)) return false
  const { node, made, files } = Stamp.parse(JSON.parse(readFileSync(file, 'utf8')))
  return (
    node === process.version &&
    ours(root).every((path) => path in made) &&
    Object.entries(made).every(([path, change]) => changeOf(join(root, path)) === change) &&
    files.every((name) => existsSync(join(folder, name)))
  )
}

const ours = (root: string) =>
  sources.flatMap((source) =>
    source.includes('.')
      ? [source]
      : readdirSync(join(root, source), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)),
  )

const changesOf = (root: string, paths: string[]) =>
  Object.fromEntries(paths.map((path) => [path, changeOf(join(root, path))]))

/** Returns when a file was changed and how large it is, or an empty text if it is gone. */
function changeOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true })
  return stat === undefined ? '' : `${stat.mtimeNs} ${stat.size}`
}
