import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isRoot } from './access.js'
import { marker } from './data-folder.js'
import { codeOf, textOf } from './field.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'

/** Explains in one line why a file system call on the data folder failed. */
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

/** What may be in the data folder before there is a shop: other commands write it there. */
const neighbours = new Set(['lost+found', 'faults', 'knative', 'scale.html'])

/** Makes a folder and those above it. For root, other users may enter what is new, whatever the umask says. */
export const makeFolder = (folder: string): void => {
  const first = mkdirSync(folder, { recursive: true, mode: 0o755 })
  if (first === undefined || !isRoot) return
  for (let at = folder; at.length >= first.length; at = dirname(at)) chmodSync(at, statSync(at).mode | 0o011)
}

/**
 * Makes the data folder, or checks that an existing one is ours.
 * @throws UserError if it cannot be written or holds other files
 */
export const openDataDir = (dataDir: string): void => {
  try {
    makeFolder(dataDir)
    const files = readdirSync(dataDir)
    if (files.includes(marker)) return
    if (!files.every((file) => neighbours.has(file))) {
      throw new UserError(
        `${dataDir} holds files that are not Zeroshop's. Set DATA_DIR to a new or empty folder.`,
      )
    }
    const content = { about: 'A data folder of Zeroshop; npm run reset removes it.', created: new Date() }
    writeFileSync(join(dataDir, marker), `${JSON.stringify(content, null, 2)}\n`)
  } catch (error) {
    throw error instanceof UserError ? error : explainDataDir(error, dataDir)
  }
}
