import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isOurs, nearest, unwritable } from './access.js'
import { makeFolder } from './data-dir.ts'
import { root, userCache } from './data-folder.js'
import { codeOf, textOf } from './field.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'

const run = promisify(execFile)
const hour = 3_600_000

/**
 * Returns the folders that may hold downloads: one in node_modules, which `npm ci` empties, and the user's own cache, for a
 * checkout that belongs to another user.
 */
const places = () => [join(root, 'node_modules/.cache/zeroshop'), userCache(process.env)]

/** Returns the first of these folders that we may write to. */
const writable = (folders: string[]): string =>
  folders.find((folder) => unwritable(nearest(folder)) === undefined) ?? folders.at(-1)!

/** Returns the folder for downloads. */
export const cacheDir = (): string => writable(places())

/** Returns whether we may run a program. It may be a link to one that only another user may run, such as root's Python. */
const isExecutable = (program: string): boolean => {
  try {
    accessSync(program, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Lets all users read a folder and run its programs, whatever the umask was when it was filled. */
const openToAll = async (folder: string): Promise<void> => {
  if (process.getuid !== undefined) await run('chmod', ['-R', 'a+rX', folder])
}

const isClosed = (folder: string): boolean => isOurs(folder) && (statSync(folder).mode & 0o055) !== 0o055

const dropOldAttempts = (place: string): void => {
  for (const file of readdirSync(place).filter((file) => file.startsWith('.new-'))) {
    const path = join(place, file)
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (age > hour && isOurs(path)) rmSync(path, { recursive: true, force: true })
  }
}

const explain = (error: unknown, place: string): UserError => {
  if (error instanceof UserError) return error
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return cacheFull(place)
  return new UserError(
    `Cannot keep downloads in ${place} (${code ?? textOf(error, 'message')}). Fix that, then start again.`,
  )
}

export const cacheFull = (place: string): UserError =>
  new UserError(`The disk that holds ${place} is full. Free some space and start again.`)

/**
 * Returns a folder of the cache, which `fill` fills the first time. The folder is either complete or absent, even if two
 * processes fill it at once. All users may read it.
 * @param program a program in the folder. If we may not run it, another folder is filled
 * @param among the folders that may contain it. It is created in the first of them that is writable
 * @throws UserError that says what to do, in one line
 */
export const cached = async (
  { name, program }: { name: string; program: string },
  fill: (folder: string) => Promise<void>,
  among: string[] = places(),
): Promise<string> => {
  const found = among.map((place) => join(place, name)).find((folder) => isExecutable(join(folder, program)))
  if (found !== undefined) {
    if (isClosed(found)) await openToAll(found)
    return found
  }
  const unused = among.filter((place) => !existsSync(join(place, name)))
  const place = writable(unused.length > 0 ? unused : among)
  const folder = join(place, name)
  try {
    makeFolder(place)
    dropOldAttempts(place)
    const attempt = await mkdtemp(join(place, '.new-'))
    try {
      await fill(attempt)
      await openToAll(attempt)
      if (unused.length === 0) rmSync(folder, { recursive: true, force: true })
      try {
        renameSync(attempt, folder)
      } catch (error) {
        // another process was faster, and its folder has the same content
        if (!existsSync(folder)) throw error
      }
    } finally {
      rmSync(attempt, { recursive: true, force: true })
    }
    return folder
  } catch (error) {
    throw explain(error, place)
  }
}
