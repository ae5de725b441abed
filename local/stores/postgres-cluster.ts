import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { explainDataDir } from './data-dir.ts'
import { diskFull, explainExit, freeBytes } from './explain.ts'
import { textOf } from './field.ts'
import { ownerOf, type SystemUser } from './access.js'
import { giveTo } from './postgres-user.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'

const run = promisify(execFile)

/** What a new cluster takes on the disk, in bytes, with a little to grow. */
const clusterSize = 64_000_000

export const clusterOf = (dataDir: string): string => join(dataDir, 'postgres')
const passwordFileOf = (dataDir: string): string => join(dataDir, 'postgres.password')

/**
 * Refuses data of another user: PostgreSQL only runs on what belongs to the user it runs as.
 * @throws UserError that says who that is
 */
export const checkOwner = (dataDir: string, user: SystemUser | undefined): void => {
  const cluster = clusterOf(dataDir)
  const runsAs = user?.uid ?? process.getuid?.()
  if (runsAs === undefined || !existsSync(cluster) || statSync(cluster).uid === runsAs) return
  throw new UserError(
    `The data in ${dataDir} belongs to ${ownerOf(cluster)}. Start as that user, or set DATA_DIR to another folder.`,
  )
}

/** The major version that made the data; undefined if there is none yet. */
export const majorOf = (dataDir: string): number | undefined => {
  const file = join(clusterOf(dataDir), 'PG_VERSION')
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
}

const password = (dataDir: string, user: SystemUser | undefined): string => {
  const file = passwordFileOf(dataDir)
  if (!existsSync(file)) {
    if (majorOf(dataDir) !== undefined) {
      throw new UserError(
        `${file} is missing, so nobody can log in. Put it back, or npm run reset to start afresh.`,
      )
    }
    // The file appears whole or not at all, even on a full disk.
    writeFileSync(`${file}.new`, randomBytes(24).toString('base64url'), { mode: 0o600, flush: true })
    // initdb reads it as the user it runs as.
    giveTo(`${file}.new`, user)
    renameSync(`${file}.new`, file)
  }
  return readFileSync(file, 'utf8')
}

/**
 * Makes the database cluster unless there is one. A new one appears whole or not at all.
 * @returns the superuser's password
 * @throws UserError if the disk is full or cannot be written, or initdb fails
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
    // initdb has several messages for a full disk, and removes what it made, so look beforehand.
    if (freeBytes(dataDir) < clusterSize) throw diskFull('PostgreSQL', dataDir)
    mkdirSync(attempt, { mode: 0o700 })
    giveTo(attempt, user)
    const args = [
      `--pgdata=${attempt}`,
      '--username=postgres',
      `--pwfile=${passwordFileOf(dataDir)}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Sorts and folds alike on every machine, whatever locales it has.
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
