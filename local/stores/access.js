// @ts-check
// Checks which user may use which folder. install.js needs this before any packages are installed, so it is plain JavaScript
// for Node 20.
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

/** Returns the user `postgres`, if there is one. @returns {SystemUser | undefined} */
export const findPostgresUser = () => {
  try {
    return { uid: Number(id('-u', 'postgres')), gid: Number(id('-g', 'postgres')) }
  } catch {
    return undefined
  }
}

/** A user without special rights, like a new system user. */
export const nobody = { uid: 65_534, gid: 65_534 }

/** Returns the path if it exists, or else the closest folder above it that exists. @param {string} path @returns {string} */
export const nearest = (path) => (existsSync(path) ? path : nearest(dirname(path)))

/** Returns whether a user may enter a folder. Asks the kernel, which also considers groups and ACLs. @param {string} folder @param {SystemUser} user */
export const mayEnter = (folder, user) => {
  try {
    execFileSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...user, cwd: '/', stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * Returns the topmost folder in a path that the user may not enter; undefined if the user may enter all of them.
 * @param {string} folder @param {SystemUser} user
 */
export const barrierTo = (folder, user) => {
  let at = nearest(folder)
  if (mayEnter(at, user)) return undefined
  while (dirname(at) !== at && !mayEnter(dirname(at), user)) at = dirname(at)
  return at
}

/** Returns the name of the user who owns a file or folder. @param {string} path */
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
 * Returns the path with the reason why we may not write to it, for the end of a sentence; undefined if we may.
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
