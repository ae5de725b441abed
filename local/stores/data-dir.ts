import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findPostgresUser, isOurs, isRoot } from './access.js'
import { marker } from './data-folder.js'
import { codeOf, textOf } from './field.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'

/** Returns an error that explains in one line why a file system call on the data folder failed. */
export const explainDataDir = (error: unknown, dataDir: string): UserError => {
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new UserError(`The disk that holds ${dataDir} is full. Free some space and start again.`)
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new UserError(
      `Cannot write to ${dataDir} (${code}). Set DATA_DIR to a folder that you may write to.`,
    )
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new UserError(`${dataDir} is not a folder. Set DATA_DIR to another path.`)
  }
  return new UserError(`Cannot use the data folder ${dataDir}: ${textOf(error, 'message')}`)
}

/** Files that other commands write to the data folder, maybe before there is a shop. */
const neighbours = new Set(['lost+found', 'faults', 'knative', 'scale.html'])

/** Creates a folder and its parents. If we are root, other users may enter the new folders, whatever the umask is. */
export const makeFolder = (folder: string): void => {
  const first = mkdirSync(folder, { recursive: true, mode: 0o755 })
  if (first === undefined || !isRoot) return
  for (let at = folder; at.length >= first.length; at = dirname(at)) chmodSync(at, statSync(at).mode | 0o011)
}

/**
 * Creates a folder that other users may not enter, or closes an existing one to them. If PostgreSQL runs as another user,
 * the group of that user may still enter.
 */
export const makePrivateFolder = (folder: string): void => {
  makeFolder(folder)
  if (process.getuid === undefined || !isOurs(folder)) return
  const { mode, gid } = statSync(folder)
  const isForPostgres = isRoot && (mode & 0o010) !== 0 && gid === findPostgresUser()?.gid
  const wanted = isForPostgres ? 0o710 : 0o700
  if ((mode & 0o777) !== wanted) chmodSync(folder, wanted)
}

/**
 * Creates the data folder, or checks that an existing folder is one. Other users may not enter it.
 * @throws UserError if it is not writable or contains other files
 */
export const openDataDir = (dataDir: string): void => {
  try {
    makeFolder(dataDir)
    const files = readdirSync(dataDir)
    if (!files.includes(marker) && !files.every((file) => neighbours.has(file))) {
      throw new UserError(
        `${dataDir} contains files that do not belong to Zeroshop. Set DATA_DIR to a new or empty folder.`,
      )
    }
    // not earlier, because it might have been someone else's folder
    makePrivateFolder(dataDir)
    if (files.includes(marker)) return
    const content = { about: 'A data folder of Zeroshop; npm run reset removes it.', created: new Date() }
    writeFileSync(join(dataDir, marker), `${JSON.stringify(content, null, 2)}\n`)
  } catch (error) {
    throw error instanceof UserError ? error : explainDataDir(error, dataDir)
  }
}
