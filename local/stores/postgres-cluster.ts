import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { explainDataDir } from './data-dir.ts'
import { diskFull, explainExit, freeBytes } from './explain.ts'
import { textOf } from './field.ts'
import type { SystemUser } from './postgres-user.ts'
import { giveTo } from './postgres-user.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'

const run = promisify(execFile)

/** What a new cluster takes on the disk, in bytes, with a little to grow. */
const clusterSize = 64_000_000

export const clusterOf = (dataDir: string): string => join(dataDir, 'postgres')
const passwordFileOf = (dataDir: string): string => join(dataDir, 'postgres.password')

/** The major version that made the data; undefined when there is none yet. */
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
    // Whole or not at all, also on a full disk.
    writeFileSync(`${file}.new`, randomBytes(24).toString('base64url'), { mode: 0o600, flush: true })
    // initdb reads it as the user it runs as.
    giveTo(`${file}.new`, user)
    renameSync(`${file}.new`, file)
  }
  return readFileSync(file, 'utf8')
}

/**
 * Makes the database cluster unless there is one. It appears whole or not at all.
 * @returns the superuser's password
 * @throws UserError when the disk is full or cannot be written, or initdb fails
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
    // initdb tidies up when it fails, and what it says about a full disk differs: look beforehand.
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
