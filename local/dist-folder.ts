import { existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isOurs, nearest } from './stores/access.js'
import { makeFolder } from './stores/data-dir.ts'
import { root } from './stores/data-folder.js'

/**
 * Where the functions are bundled: `dist` in the checkout or, in a checkout of another user, the data folder. So nobody,
 * root included, leaves files that the owner of the checkout cannot replace.
 */
export function distFolder(dataDir: string): string {
  const inCheckout = join(root, 'dist')
  if (isOurs(nearest(inCheckout))) return inCheckout
  const dist = join(dataDir, 'dist')
  makeFolder(dist)
  // for the packages with native code, which are not bundled
  const modules = join(dist, 'node_modules')
  if (!existsSync(modules)) symlinkSync(join(root, 'node_modules'), modules)
  return dist
}
