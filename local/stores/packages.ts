import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { explainDataDir } from './data-dir.ts'
import { codeOf, textOf } from './field.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'

const run = promisify(execFile)
const hour = 3_600_000

/** Where downloaded stores are kept: shared by all runs of this checkout, renewed by `npm ci`. */
export const cacheDir = join(import.meta.dirname, '../../node_modules/.cache/zeroshop')

const dropOldAttempts = (): void => {
  for (const file of readdirSync(cacheDir).filter((file) => file.startsWith('.new-'))) {
    const path = join(cacheDir, file)
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (age > hour) rmSync(path, { recursive: true, force: true })
  }
}

/**
 * A folder of the cache, filled by `fill` the first time. It appears whole or not at all, also when two processes
 * fill it at once.
 */
export const cached = async (name: string, fill: (folder: string) => Promise<void>): Promise<string> => {
  const folder = join(cacheDir, name)
  if (existsSync(folder)) return folder
  try {
    mkdirSync(cacheDir, { recursive: true })
    dropOldAttempts()
  } catch (error) {
    throw explainDataDir(error, cacheDir)
  }
  const attempt = await mkdtemp(join(cacheDir, '.new-'))
  try {
    await fill(attempt)
    try {
      renameSync(attempt, folder)
    } catch (error) {
      // Another process was faster: its folder is as good as ours.
      if (!existsSync(folder)) throw error
    }
    return folder
  } finally {
    rmSync(attempt, { recursive: true, force: true })
  }
}

const pipEnv = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...env,
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  PIP_NO_INPUT: '1',
  PIP_ROOT_USER_ACTION: 'ignore',
  // A user-wide `user = true` does not go with --target.
  PIP_USER: '0',
})

const explainPip = (error: unknown, what: string, instead: string): UserError => {
  const stderr = textOf(error, 'stderr') ?? ''
  if (codeOf(error) === 'ENOENT')
    return new UserError(`${what} needs Python 3, which is not on the PATH. Install it, or ${instead}.`)
  if (stderr.includes('No module named pip')) {
    return new UserError(
      `${what} needs pip. Install it (Debian: apt-get install python3-pip), or ${instead}.`,
    )
  }
  if (/No module named '?venv|ensurepip is not/.test(stderr)) {
    return new UserError(
      `${what} needs Python's venv. Install it (Debian: apt-get install python3-venv), or ${instead}.`,
    )
  }
  if (/No space left on device/.test(stderr)) {
    return new UserError(`The disk that holds ${cacheDir} is full. Free some space and start again.`)
  }
  const line =
    stderr.split('\n').findLast((line) => line.startsWith('ERROR:')) ?? stderr.trim().split('\n').at(-1)
  return new UserError(`${what} could not be installed with pip (${line}). Check the network, or ${instead}.`)
}

export interface PipPackage {
  requirements: string[]
  /** What is being installed, for messages. */
  what: string
  /** What the user can do without it, ending a sentence that begins "…, or". */
  instead: string
  env: NodeJS.ProcessEnv
}

/**
 * Installs Python packages (wheels only, so that nothing is compiled) into a folder.
 * @throws UserError in one line when Python or pip is missing, or the download fails
 */
export const pipInstall = async (
  target: string,
  { requirements, what, instead, env }: PipPackage,
): Promise<void> => {
  const options = ['install', '--quiet', '--only-binary=:all:', '--target', target]
  try {
    await run('python3', ['-m', 'pip', ...options, ...requirements], { env: pipEnv(env) })
  } catch (error) {
    throw explainPip(error, what, instead)
  }
}

/**
 * Makes a virtual environment with these packages. It is filled from outside by the system's pip, as Debian's venv
 * has none without one more package. Returns nothing; its interpreter is `bin/python3`.
 */
export const pipVenv = async (folder: string, wanted: PipPackage): Promise<void> => {
  try {
    await run('python3', ['-m', 'venv', '--without-pip', folder], { env: pipEnv(wanted.env) })
    const ask = 'import sysconfig; print(sysconfig.get_path("purelib"))'
    const { stdout } = await run(join(folder, 'bin/python3'), ['-c', ask], { env: pipEnv(wanted.env) })
    await pipInstall(stdout.trim(), wanted)
  } catch (error) {
    throw error instanceof UserError ? error : explainPip(error, wanted.what, wanted.instead)
  }
}
