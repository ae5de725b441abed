// @ts-check
// Installs the packages if they are missing or out of date: `node local/commands/install.js [--stores] [FOLDER]`. It runs
// before node_modules exists, so it is plain JavaScript for Node 20 and uses no packages. Commands that start stores use
// --stores, which first checks that the stores can run here.
//
// The scripts in package.json start what follows with `exec env node`. The shell remembers the path of the `node` that ran
// this file (bash even for `exec`), but env searches the PATH again and finds the node that was just installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { isOurs, ownerOf, unwritable } from '../stores/access.js'
import { root as checkout, startProblem } from '../stores/data-folder.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { stores: { type: 'boolean', default: false } },
})
const root = resolve(positionals[0] ?? checkout)
const lockFile = join(root, 'package-lock.json')
const marker = join(root, 'node_modules', '.zeroshop-lock')
const npmsRecord = join(root, 'node_modules', '.package-lock.json')

/** @param {string} text */
const hash = (text) => createHash('sha256').update(text).digest('hex')

/** @param {string} file */
const modified = (file) => statSync(file).mtimeMs

const wanted = () => hash(readFileSync(lockFile, 'utf8'))

const installed = () => {
  // npm writes this file last, so if it is missing, an install was interrupted
  if (!existsSync(npmsRecord)) return false
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted()) return true
  return modified(npmsRecord) >= modified(lockFile)
}

/** @param {number} pid */
const runs = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

// the lock; not in node_modules, which npm ci removes first
const turn = join(tmpdir(), `zeroshop-install-${process.getuid?.() ?? ''}-${hash(root).slice(0, 12)}`)

/** Takes the lock. If another process holds it, waits for a moment and returns false. */
const takeTurn = () => {
  try {
    const file = openSync(turn, 'wx')
    writeSync(file, String(process.pid))
    closeSync(file)
    return true
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  try {
    const pid = Number(readFileSync(turn, 'utf8'))
    const age = Date.now() - modified(turn)
    // an empty file belongs to a process that is about to write its pid
    if (pid > 0 ? !runs(pid) : age > 2000) rmSync(turn, { force: true })
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
  } catch {
    // the file has been removed meanwhile
  }
  return false
}

/** Returns why the packages cannot be installed here, and what to do; undefined if they can. @returns {string | undefined} */
const obstacle = () => {
  const modules = join(root, 'node_modules')
  const blocked = [root, ...(existsSync(modules) ? [modules] : [])].find(unwritable)
  if (blocked === undefined) return values.stores ? startProblem(process.env) : undefined
  const remedy = isOurs(blocked)
    ? 'Make it writable'
    : `Run this as ${ownerOf(blocked)}, or become the folder’s owner (sudo chown -R ${process.getuid?.()} ${root})`
  return `Cannot install packages into ${unwritable(blocked)}. ${remedy}, then try again.`
}

const install = () => {
  console.log('Installing packages (first run) …')
  // npm must not use the node in node_modules, which it is about to remove
  const PATH = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.endsWith(join(sep, 'node_modules', '.bin')))
    .join(delimiter)
  const { status, error } = spawnSync(
    'npm',
    ['ci', '--loglevel=error', '--include=dev', '--include=optional', '--no-audit', '--no-fund'],
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
      env: { ...process.env, PATH },
    },
  )
  if (error) return `npm could not be run (${error.message}). Install it, then try again.`
  if (status === 0 && existsSync(join(root, 'node_modules'))) return undefined
  return 'The packages could not be installed. See the output of npm above. Check the network (and HTTPS_PROXY if you are behind a proxy) and the disk, then try again.'
}

/** @returns {string | undefined} what went wrong */
const main = () => {
  const problem = installed() ? undefined : obstacle()
  if (problem !== undefined) return problem
  while (!installed()) {
    if (!takeTurn()) continue
    try {
      // the process that held the lock before may have installed them
      if (installed()) return undefined
      const problem = install()
      if (problem !== undefined) return problem
      writeFileSync(marker, wanted())
      if (!existsSync(npmsRecord)) return undefined
    } finally {
      rmSync(turn, { force: true })
    }
  }
  return undefined
}

const problem = main()
if (problem !== undefined) {
  console.error(problem)
  process.exitCode = 1
}
