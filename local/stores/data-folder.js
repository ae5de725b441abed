// @ts-check
// Which folder holds the data, and whether PostgreSQL can run on it. Plain JavaScript for Node 20, as install.js needs it.
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

/** The file that marks a data folder as ours, so that a reset never removes the wrong folder. */
export const marker = 'zeroshop.json'

const home = () => {
  try {
    return homedir()
  } catch {
    // A user without an entry in /etc/passwd, as containers may have.
    return tmpdir()
  }
}

/** The folder of a user's data or caches. @param {string | undefined} configured @param {string} ofRoot @param {string} ofUser */
const userFolder = (configured, ofRoot, ofUser) => {
  // Root's home is closed to PostgreSQL's user.
  if (isRoot) return join(ofRoot, 'zeroshop')
  return join(configured || join(home(), ofUser), 'zeroshop')
}

/** Where downloads are kept if they cannot be kept in the checkout. @param {Env} env */
export const userCache = (env) => userFolder(env['XDG_CACHE_HOME'], '/var/cache', '.cache')

/** Where the data of this checkout is kept if it cannot be kept in the checkout. @param {Env} env */
const awayFrom = (env) => {
  const checkout = realpathSync(root)
  const name = basename(checkout).replaceAll(/[^\w.-]/g, '_')
  const hash = createHash('sha256').update(checkout).digest('hex').slice(0, 8)
  return join(userFolder(env['XDG_DATA_HOME'], '/var/lib', '.local/share'), `${name}-${hash}`)
}

/** Why the data cannot be in this folder of the checkout. @param {string} local @returns {string | undefined} */
const objectionTo = (local) => {
  const made = join(local, marker)
  if (existsSync(made) && !isOurs(made)) return `${local} belongs to ${ownerOf(made)}`
  // If PostgreSQL cannot reach its data any more, it says so. A second, empty shop would only hide that.
  if (existsSync(join(local, 'postgres'))) return undefined
  const folder = unwritable(nearest(local))
  if (folder !== undefined) return `you may not write to ${folder}`
  const barrier = isRoot ? barrierTo(local, findPostgresUser() ?? nobody) : undefined
  if (barrier === undefined) return undefined
  return `PostgreSQL does not run as root, and the user it runs as may not enter ${barrier}`
}

/**
 * The data folder: `DATA_DIR`, or else `.data` in the checkout, or else a folder outside the checkout that is named
 * after it. Once made, the folder stays the chosen one.
 * @param {Env} env
 * @returns {{ dataDir: string, why?: string }} `why` says why it is not `.data`
 */
export const chooseDataDir = (env) => {
  if (env['DATA_DIR']) return { dataDir: resolve(env['DATA_DIR']), why: 'DATA_DIR is set' }
  const local = join(root, '.data')
  if (process.getuid === undefined) return { dataDir: local }
  const away = awayFrom(env)
  const why = objectionTo(local)
  if (why !== undefined) return { dataDir: away, why }
  return existsSync(join(away, marker))
    ? { dataDir: away, why: 'made when .data could not be used' }
    : { dataDir: local }
}

const hasUseradd = () =>
  [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) =>
    existsSync(join(folder, 'useradd')),
  )

/** Why PostgreSQL cannot run on a data folder, and what to do; undefined if it can. @param {string} dataDir */
export const postgresProblem = (dataDir) => {
  if (!isRoot) return undefined
  const found = findPostgresUser()
  const refusal = 'PostgreSQL refuses to run as root, and'
  const instead = 'Run as another user, or set DATABASE_URL.'
  if (found === undefined && !hasUseradd())
    return `${refusal} there is neither a user "postgres" nor useradd to make one. ${instead}`
  const user = found ?? nobody
  if (!mayEnter('/', user)) return `${refusal} no other user can be used here. ${instead}`
  const barrier = barrierTo(dataDir, user)
  // The folder itself is opened to that user when the server starts.
  if (barrier === undefined || (barrier === dataDir && isOurs(barrier))) return undefined
  return (
    `${refusal} the user "postgres" may not enter ${barrier}. ` +
    `Set DATA_DIR to a folder outside it, for example DATA_DIR=/srv/zeroshop, or let it in: chmod o+x ${barrier}`
  )
}

/**
 * Why a shop cannot be started, and what to do; undefined if nothing is in the way.
 * @param {Env} env
 */
export const startProblem = (env, { dataDir } = chooseDataDir(env)) => {
  const folder = unwritable(nearest(dataDir))
  if (folder !== undefined)
    return `Cannot write to ${folder}. Set DATA_DIR to a folder that you may write to.`
  return env['DATABASE_URL'] ? undefined : postgresProblem(dataDir)
}
