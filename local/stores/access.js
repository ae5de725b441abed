// @ts-check
// Who may do what with a folder. install.js asks before there are any packages and on whatever Node the machine has, so
// this is plain JavaScript for Node 20.
import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** @typedef {{ uid: number, gid: number }} SystemUser */

export const isRoot = process.getuid?.() === 0

/** @param {string} option @param {string} [name] */
const id = (option, name) =>
  execFileSync('id', name === undefined ? [option] : [option, name], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()

/** The user `postgres`, if there is one. @returns {SystemUser | undefined} */
export const findPostgresUser = () => {
  try {
    return { uid: Number(id('-u', 'postgres')), gid: Number(id('-g', 'postgres')) }
  } catch {
    return undefined
  }
}

/** A user without any rights of its own, as a new system user is. */
export const nobody = { uid: 65_534, gid: 65_534 }

/** The path itself if it exists, else the closest folder above it that does. @param {string} path @returns {string} */
export const nearest = (path) => (existsSync(path) ? path : nearest(dirname(path)))

/** Whether a user may enter a folder. The kernel decides, as it also knows groups and ACLs. @param {string} folder @param {SystemUser} user */
export const mayEnter = (folder, user) => {
  try {
    execFileSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...user, cwd: '/', stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * The topmost folder on the way to this one that the user may not enter; undefined if the user may enter all of them.
 * @param {string} folder @param {SystemUser} user
 */
export const barrierTo = (folder, user) => {
  let at = nearest(folder)
  if (mayEnter(at, user)) return undefined
  while (dirname(at) !== at && !mayEnter(dirname(at), user)) at = dirname(at)
  return at
}

/** The name of the user who owns a file or folder. @param {string} path */
export const ownerOf = (path) => {
  const { uid } = statSync(path)
  try {
    return id('-nu', String(uid))
  } catch {
    return `the user ${uid}`
  }
}

/** @param {string} path */
export const isOurs = (path) => process.getuid === undefined || statSync(path).uid === process.getuid()

/**
 * The path with the reason why we may not write to it, to end a sentence with; undefined if we may.
 * @param {string} path
 */
export const unwritable = (path) => {
  try {
    accessSync(path, constants.W_OK)
    return undefined
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error
    return isOurs(path) ? `${path} (${String(code)})` : `${path}, which belongs to ${ownerOf(path)}`
  }
}
