import { makeSecrets } from '../../compose/secrets.ts'
import { buildImages, shop } from './shop.ts'

/** Starts the whole shop from nothing, and removes it afterwards. */
export default async function setup() {
  await makeSecrets()
  buildImages()
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
