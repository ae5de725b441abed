import { execFileSync } from 'node:child_process'
import { chownSync, cpSync, existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join, parse } from 'node:path'
import { UserError } from '../../functions/shared/process/user-error.ts'

export interface SystemUser {
  uid: number
  gid: number
}

const idOf = (option: '-u' | '-g'): number =>
  Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))

const lookUp = (): SystemUser | undefined => {
  try {
    return { uid: idOf('-u'), gid: idOf('-g') }
  } catch {
    return undefined
  }
}

const create = (): SystemUser => {
  try {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], { stdio: 'ignore' })
  } catch {
    // The look-up decides: another process may have made it at the same moment.
  }
  const user = lookUp()
  if (user) return user
  throw new UserError(
    'PostgreSQL refuses to run as root, and the user "postgres" cannot be made. Run as another user, or set DATABASE_URL.',
  )
}

/** PostgreSQL refuses to run as root: the user to run it as then, made if missing. Undefined when we are not root. */
export const postgresUser = (): SystemUser | undefined =>
  process.getuid?.() === 0 ? (lookUp() ?? create()) : undefined

/** Whether a user may enter a folder; asked of the kernel, as that. */
const mayEnter = (folder: string, user: SystemUser): boolean => {
  try {
    execFileSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...user, cwd: '/', stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * @throws UserError when the user cannot reach the folder, naming the one that is in the way
 */
export const checkReachable = (dataDir: string, user: SystemUser | undefined): void => {
  if (!user || mayEnter(dataDir, user)) return
  let barrier = dataDir
  while (dirname(barrier) !== parse(barrier).root && !mayEnter(dirname(barrier), user))
    barrier = dirname(barrier)
  throw new UserError(
    `PostgreSQL refuses to run as root, and the user "postgres" may not enter ${barrier}. ` +
      `Set DATA_DIR to a folder outside it, for example DATA_DIR=/var/lib/zeroshop.`,
  )
}

/**
 * A folder of binaries that the user can run: the given one or, when it lies where only root may go (a checkout in
 * /root), a copy in the data folder.
 */
export const reachableBinaries = (
  native: string,
  version: string,
  dataDir: string,
  user: SystemUser | undefined,
): string => {
  if (!user || mayEnter(native, user)) return native
  const copy = join(dataDir, `postgresql-${version}`)
  if (existsSync(copy)) return copy
  rmSync(`${copy}.new`, { recursive: true, force: true })
  cpSync(native, `${copy}.new`, { recursive: true, verbatimSymlinks: true })
  renameSync(`${copy}.new`, copy)
  return copy
}

/** Gives a file or folder to the user, if there is one to give it to. */
export const giveTo = (path: string, user: SystemUser | undefined): void => {
  if (user && statSync(path).uid !== user.uid) chownSync(path, user.uid, user.gid)
}
