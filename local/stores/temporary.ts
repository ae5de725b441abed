import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { barrierTo } from './access.js'
import { openDataDir } from './data-dir.ts'
import { stopLeftovers } from './leftovers.ts'
import { postgresUser } from './postgres-user.ts'

/** Returns the system's folder for temporary files, or /var/tmp if only root may enter that, as on some systems. */
const base = () => {
  const user = postgresUser()
  return user !== undefined && barrierTo(tmpdir(), user) !== undefined ? '/var/tmp' : tmpdir()
}

/** Creates a temporary folder that the user `postgres` may enter. */
export const temporaryFolder = (): { folder: string; remove: () => void } => {
  const folder = mkdtempSync(join(base(), 'zeroshop-'))
  chmodSync(folder, 0o755)
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) }
}

/** Creates an empty data folder for tests. `remove` also stops the processes that still run on it. */
export const temporaryDataDir = (): { dataDir: string; remove: () => Promise<void> } => {
  const { folder: dataDir, remove } = temporaryFolder()
  openDataDir(dataDir)
  return {
    dataDir,
    remove: async () => {
      await stopLeftovers(dataDir)
      remove()
    },
  }
}
