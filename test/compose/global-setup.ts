import { spawnSync } from 'node:child_process'
import { root } from '../../images/docker.ts'
import { makeSecrets } from '../../compose/secrets.ts'
import { shop } from './shop.ts'

/** Starts the whole shop from nothing, and removes it afterwards. */
export default async function setup() {
  await makeSecrets()
  const built = spawnSync(process.execPath, ['images/build.ts'], { cwd: root, stdio: 'inherit' })
  if (built.status !== 0) throw new Error('the images could not be built')
  try {
    await shop.start()
  } catch (error) {
    await shop.remove()
    throw error
  }
  return async () => {
    await shop.remove()
  }
}
