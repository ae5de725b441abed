// @ts-check
// Chooses the data folder, and checks whether PostgreSQL can run on it. Plain JavaScript for Node 20, as for access.js.
import { createHash } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, delimiter, join, resolve } from 'node:path'
import {
  barrierTo,
  findPostgresUser,
  isOurs,
  isRoot,
  mayEnter,
  nearest,
  nobody,
  ownerOf,
  unwritable,
} from './access.js'

/** @typedef {Record<string, string | undefined>} Env */

/** The checkout. */
export const root = join(import.meta.dirname, '../..')

/** The file that identifies a data folder, so that a reset never removes another folder. */
export const marker = 'zeroshop.json'

const home = () => {
  try {
    return homedir()
  } catch {
    // the user has no entry in /etc/passwd, which happens in containers
    return tmpdir()
  }
}

/** Returns the folder for a user's data or caches. @param {string | undefined} configured @param {string} ofRoot @param {string} ofUser */
const userFolder = (configured, ofRoot, ofUser) => {
  // PostgreSQL's user may not enter root's home
  if (isRoot) return join(ofRoot, 'zeroshop')
  return join(configured || join(home(), ofUser), 'zeroshop')
}

/** Returns the folder for downloads that cannot be stored in the checkout. @param {Env} env */
export const userCache = (env) => userFolder(env['XDG_CACHE_HOME'], '/var/cache', '.cache')

/** Returns the folder for the data of this checkout if it cannot be stored in the checkout. @param {Env} env */
const awayFrom = (env) => {
  const checkout = realpathSync(root)
  const name = basename(checkout).replaceAll(/[^\w.-]/g, '_')
  const hash = createHash('sha256').update(checkout).digest('hex').slice(0, 8)
  return join(userFolder(env['XDG_DATA_HOME'], '/var/lib', '.local/share'), `${name}-${hash}`)
}

/** Returns why the data cannot be stored in this folder of the checkout; undefined if it can. @param {string} local @returns {string | undefined} */
const objectionTo = (local) => {
  const made = join(local, marker)
  if (existsSync(made) && !isOurs(made)) return `${local} belongs to ${ownerOf(made)}`
  // If PostgreSQL can no longer reach its data, the start reports that. A second, empty shop would only hide it.
  if (existsSync(join(local, 'postgres'))) return undefined
  const folder = unwritable(nearest(local))
  // another user's data folder is closed, so that its marker cannot be seen
  if (folder !== undefined && existsSync(local) && !isOurs(local))
    return `${local} belongs to ${ownerOf(local)}`
  if (folder !== undefined) return `you may not write to ${folder}`
  const barrier = isRoot ? barrierTo(local, findPostgresUser() ?? nobody) : undefined
  if (barrier === undefined) return undefined
  return `PostgreSQL does not run as root, and the user it runs as may not enter ${barrier}`
}

/**
 * Chooses the data folder: `DATA_DIR`, or else `.data` in the checkout, or else a folder outside the checkout that is named
 * after it. Once a folder contains data, it remains the choice.
 * @param {Env} env
 * @returns {{ dataDir: string, why?: string }} `why` is the reason if it is not `.data`
 */
export const chooseDataDir = (env) => {
  if (env['DATA_DIR']) return { dataDir: resolve(env['DATA_DIR']), why: 'DATA_DIR is set' }
  const local = join(root, '.data')
  if (process.getuid === undefined) return { dataDir: local }
  const away = awayFrom(env)
  const why = objectionTo(local)
  if (why !== undefined) return { dataDir: away, why }
  return existsSync(join(away, marker))
    ? { dataDir: away, why: 'created when .data could not be used' }
    : { dataDir: local }
}

const hasUseradd = () =>
  [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) =>
    existsSync(join(folder, 'useradd')),
  )

/** Returns why PostgreSQL cannot run on a data folder, and what to do; undefined if it can. @param {string} dataDir */
export const postgresProblem = (dataDir) => {
  if (!isRoot) return undefined
  const found = findPostgresUser()
  const refusal = 'PostgreSQL refuses to run as root, and'
  const instead = 'Run as another user, or set DATABASE_URL.'
  if (found === undefined && !hasUseradd())
    return `${refusal} there is neither a user "postgres" nor useradd to create one. ${instead}`
  const user = found ?? nobody
  if (!mayEnter('/', user)) return `${refusal} no other user can be used here. ${instead}`
  const barrier = barrierTo(dataDir, user)
  // startPostgres lets that user enter the data folder itself
  if (barrier === undefined || (barrier === dataDir && isOurs(barrier))) return undefined
  return (
    `${refusal} the user "postgres" may not enter ${barrier}. ` +
    `Set DATA_DIR to a folder outside it, for example DATA_DIR=/srv/zeroshop, or let that user in: chmod o+x ${barrier}`
  )
}

/**
 * Returns why the shop cannot be started, and what to do; undefined if it can.
 * @param {Env} env
 */
export const startProblem = (env, { dataDir } = chooseDataDir(env)) => {
  const folder = unwritable(nearest(dataDir))
  if (folder !== undefined)
    return `Cannot write to ${folder}. Set DATA_DIR to a folder that you may write to.`
  return env['DATABASE_URL'] ? undefined : postgresProblem(dataDir)
}
