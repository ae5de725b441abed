import { existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isOurs, nearest } from './stores/access.js'
import { makeFolder } from './stores/data-dir.ts'
import { root } from './stores/data-folder.js'

/**
 * Returns the folder for the bundled functions: `dist` in the checkout or, if the checkout belongs to another user, in the
 * data folder. This way nobody, not even root, leaves files in a checkout that its owner cannot replace.
 */
export function distFolder(dataDir: string): string {
  const inCheckout = join(root, 'dist')
  if (isOurs(nearest(inCheckout))) return inCheckout
  const dist = join(dataDir, 'dist')
  makeFolder(dist)
  // packages with native code are not bundled
  const modules = join(dist, 'node_modules')
  if (!existsSync(modules)) symlinkSync(join(root, 'node_modules'), modules)
  return dist
}
