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
      // after `su`, these may be missing from root's PATH
      env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
    })
  } catch {
    // another process may have created the user at the same time, so look again
  }
  const user = findPostgresUser()
  if (user) return user
  throw new UserError(
    'PostgreSQL refuses to run as root, and the user "postgres" cannot be created. Run as another user, or set DATABASE_URL.',
  )
}

/** Returns the user to run PostgreSQL as if we are root, which PostgreSQL refuses. Creates it if it does not exist. */
export const postgresUser = (): SystemUser | undefined =>
  isRoot ? (findPostgresUser() ?? create()) : undefined

/**
 * Lets the user enter the data folder.
 * @throws UserError if the user may not enter a folder above it
 */
export const admit = (dataDir: string, user: SystemUser | undefined): void => {
  if (!user || mayEnter(dataDir, user)) return
  // a folder of mode 700, as mktemp creates it, stays closed to other users if only the group may enter
  if (isOurs(dataDir) && mayEnter(dirname(dataDir), user)) {
    chownSync(dataDir, 0, user.gid)
    chmodSync(dataDir, statSync(dataDir).mode | 0o010)
  }
  const problem = postgresProblem(dataDir)
  if (problem !== undefined) throw new UserError(problem)
}

/** Returns whether the user can run a program, which must have the option `--version`. */
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
 * Returns a folder with PostgreSQL's programs that the user can run: `native` or, if the user may not enter the checkout,
 * a copy in root's cache.
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

/** Makes the user, if there is one, the owner of a file or folder. */
export const giveTo = (path: string, user: SystemUser | undefined): void => {
  if (user && statSync(path).uid !== user.uid) chownSync(path, user.uid, user.gid)
}
