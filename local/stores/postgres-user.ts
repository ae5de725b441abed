import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, statSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { findPostgresUser, isOurs, isRoot, mayEnter, type SystemUser } from './access.js'
import { cached } from './cache.ts'
import { postgresProblem, userCache } from './data-folder.js'
import { UserError } from '../../functions/shared/process/user-error.ts'

const create = (): SystemUser => {
  try {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], {
      stdio: 'ignore',
      // Root's PATH lacks it after a plain `su`.
      env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
    })
  } catch {
    // Another process may have made the user at the same moment, so look again.
  }
  const user = findPostgresUser()
  if (user) return user
  throw new UserError(
    'PostgreSQL refuses to run as root, and the user "postgres" cannot be made. Run as another user, or set DATABASE_URL.',
  )
}

/** PostgreSQL refuses to run as root: the user to run it as instead, made if missing. Undefined if we are not root. */
export const postgresUser = (): SystemUser | undefined =>
  isRoot ? (findPostgresUser() ?? create()) : undefined

/**
 * Lets the user enter the data folder.
 * @throws UserError if a folder above it keeps the user out
 */
export const admit = (dataDir: string, user: SystemUser | undefined): void => {
  if (!user || mayEnter(dataDir, user)) return
  // For a folder of mode 700, as mktemp makes it, the group is enough: other users stay out.
  if (isOurs(dataDir) && mayEnter(dirname(dataDir), user)) {
    chownSync(dataDir, 0, user.gid)
    chmodSync(dataDir, statSync(dataDir).mode | 0o010)
  }
  const problem = postgresProblem(dataDir)
  if (problem !== undefined) throw new UserError(problem)
}

/** Whether the user can run a program that has the option `--version`. */
export const mayRun = (program: string, user: SystemUser | undefined): boolean => {
  if (!user) return true
  try {
    execFileSync(program, ['--version'], { ...user, cwd: '/', stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * A folder of PostgreSQL's programs that the user can run: the given one or, if the checkout is closed to that user, a
 * copy in root's cache.
 */
export const runnable = async (
  native: string,
  version: string,
  user: SystemUser | undefined,
): Promise<string> =>
  mayRun(join(native, 'bin/postgres'), user)
    ? native
    : cached(
        { name: `postgresql-${version}`, program: 'bin/postgres' },
        (folder) => cp(native, folder, { recursive: true, verbatimSymlinks: true }),
        [userCache(process.env)],
      )

/** Gives a file or folder to the user, if there is one to give it to. */
export const giveTo = (path: string, user: SystemUser | undefined): void => {
  if (user && statSync(path).uid !== user.uid) chownSync(path, user.uid, user.gid)
}
