import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { explainDataDir } from './data-dir.ts'
import { diskFull, explainExit, freeBytes } from './explain.ts'
import { textOf } from './field.ts'
import { ownerOf, type SystemUser } from './access.js'
import { keepPassword, keptPassword, newPassword } from './password.ts'
import { giveTo } from './postgres-user.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'

const run = promisify(execFile)

/** The size of a new cluster on disk, with some space to grow, in bytes. */
const clusterSize = 64_000_000

export const clusterOf = (dataDir: string): string => join(dataDir, 'postgres')
const passwordFileOf = (dataDir: string): string => join(dataDir, 'postgres.password')

/**
 * Checks that the data belongs to the user that PostgreSQL runs as, which PostgreSQL requires.
 * @throws UserError that names the owner if it belongs to another user
 */
export const checkOwner = (dataDir: string, user: SystemUser | undefined): void => {
  const cluster = clusterOf(dataDir)
  const runsAs = user?.uid ?? process.getuid?.()
  if (runsAs === undefined || !existsSync(cluster) || statSync(cluster).uid === runsAs) return
  throw new UserError(
    `The data in ${dataDir} belongs to ${ownerOf(cluster)}. Start as that user, or set DATA_DIR to another folder.`,
  )
}

/** Returns the major version of PostgreSQL that created the data; undefined if there is no data yet. */
export const majorOf = (dataDir: string): number | undefined => {
  const file = join(clusterOf(dataDir), 'PG_VERSION')
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
}

const password = (dataDir: string, user: SystemUser | undefined): string => {
  const file = passwordFileOf(dataDir)
  const kept = keptPassword(file)
  if (kept !== undefined) return kept
  if (majorOf(dataDir) !== undefined) {
    throw new UserError(
      `${file} is missing, so nobody can log in. Restore it, or run npm run reset to start afresh.`,
    )
  }
  const secret = newPassword()
  // initdb must be able to read it
  keepPassword(file, secret, (made) => giveTo(made, user))
  return secret
}

/**
 * Creates the database cluster if there is none. If that fails, no partial cluster is left.
 * @returns the superuser's password
 * @throws UserError if the disk is full or not writable, or initdb fails
 */
export const prepareCluster = async (
  dataDir: string,
  initdb: string,
  user: SystemUser | undefined,
  durable: boolean,
): Promise<string> => {
  const cluster = clusterOf(dataDir)
  try {
    const secret = password(dataDir, user)
    if (majorOf(dataDir) !== undefined) return secret
    const attempt = `${cluster}.new`
    rmSync(attempt, { recursive: true, force: true })
    // initdb has several messages for a full disk and removes its files, so check before
    if (freeBytes(dataDir) < clusterSize) throw diskFull('PostgreSQL', dataDir)
    mkdirSync(attempt, { mode: 0o700 })
    giveTo(attempt, user)
    const args = [
      `--pgdata=${attempt}`,
      '--username=postgres',
      `--pwfile=${passwordFileOf(dataDir)}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // the same order and case mapping on every machine, whatever locales it has
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      ...(durable ? [] : ['--no-sync']),
    ]
    await run(initdb, args, { ...user, cwd: dataDir })
    renameSync(attempt, cluster)
    return secret
  } catch (error) {
    if (error instanceof UserError) throw error
    const stderr = textOf(error, 'stderr')
    throw stderr === undefined
      ? explainDataDir(error, dataDir)
      : explainExit('initdb', stderr, undefined, dataDir)
  }
}
