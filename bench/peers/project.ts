import { join, resolve } from 'node:path'
import { makeOutside } from '../../local/outside.ts'
import type { Startup } from '../../local/startup.ts'
import { userCache } from '../../local/stores/data-folder.js'

/**
 * Returns the folder of a system's project outside of ours, with our files for it and exactly these packages, which are
 * kept for the next run.
 * @param name a folder beside this file
 * @throws UserError if they cannot be installed
 */
export async function project(
  startup: Startup,
  name: string,
  dependencies: Record<string, string>,
): Promise<string> {
  const folder = join(resolve(process.env['PEERS_DIR'] ?? join(userCache(process.env), 'peers')), name)
  await makeOutside(startup, { folder, files: join(import.meta.dirname, name), dependencies })
  return folder
}
