import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { codeOf, textOf } from './field.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'

/** The file that tells a data folder of ours from any other folder, so that a reset never removes the wrong one. */
export const marker = 'zeroshop.json'

/** The data folder that `DATA_DIR` names; `.data` without it. */
export const dataDirOf = (env: NodeJS.ProcessEnv = process.env): string => resolve(env['DATA_DIR'] || '.data')

/** One line about a file system call on the data folder that failed. */
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

/**
 * Makes the data folder, or checks that an existing one is ours.
 * @throws UserError when it cannot be written or holds other files
 */
export const openDataDir = (dataDir: string): void => {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o755 })
    const files = readdirSync(dataDir).filter((file) => file !== 'lost+found')
    if (files.includes(marker)) return
    if (files.length > 0) {
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
