import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDataDir } from './data-dir.ts'
import { stopLeftovers } from './leftovers.ts'

/** For tests: an empty data folder that the user `postgres` may enter. `remove` stops what still runs on it. */
export const temporaryDataDir = (): { dataDir: string; remove: () => Promise<void> } => {
  const dataDir = mkdtempSync(join(tmpdir(), 'zeroshop-'))
  chmodSync(dataDir, 0o755)
  openDataDir(dataDir)
  const remove = async () => {
    await stopLeftovers(dataDir)
    rmSync(dataDir, { recursive: true, force: true })
  }
  return { dataDir, remove }
}
