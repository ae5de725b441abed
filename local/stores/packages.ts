import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheDir, cacheFull } from './cache.ts'
import { codeOf, textOf } from './field.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'

const run = promisify(execFile)

const pipEnv = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...env,
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  PIP_NO_INPUT: '1',
  PIP_ROOT_USER_ACTION: 'ignore',
  // pip refuses --target if the user's configuration has `user = true`
  PIP_USER: '0',
})

/**
 * Returns the interpreter that `python3` runs. With pyenv, `python3` is a script that updates pyenv's files after each
 * pip install, and that fails if it runs twice at once.
 */
const interpreter = async (env: NodeJS.ProcessEnv): Promise<string> => {
  const { stdout } = await run('python3', ['-c', 'import sys; print(sys.executable)'], { env })
  return stdout.trim() || 'python3'
}

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
  if (/No space left on device/.test(stderr)) return cacheFull(cacheDir())
  const line =
    stderr.split('\n').findLast((line) => line.startsWith('ERROR:')) ?? stderr.trim().split('\n').at(-1)
  return new UserError(`${what} could not be installed with pip (${line}). Check the network, or ${instead}.`)
}

export interface PipPackage {
  requirements: string[]
  /** What is being installed, for messages. */
  what: string
  /** What the user can do instead. It completes a sentence after "…, or". */
  instead: string
  env: NodeJS.ProcessEnv
}

/**
 * Installs Python packages into a folder, only from wheels, so that nothing is compiled.
 * @throws UserError of one line if Python or pip is missing, or the download fails
 */
export const pipInstall = async (
  target: string,
  { requirements, what, instead, env }: PipPackage,
): Promise<void> => {
  const options = ['install', '--quiet', '--only-binary=:all:', '--target', target]
  try {
    await run(await interpreter(env), ['-m', 'pip', ...options, ...requirements], { env: pipEnv(env) })
  } catch (error) {
    throw explainPip(error, what, instead)
  }
}

/**
 * Creates a virtual environment with these packages. Its interpreter is `bin/python3`. The packages are installed with the
 * system's pip, because Debian's venv contains pip only if another package is installed.
 */
export const pipVenv = async (folder: string, wanted: PipPackage): Promise<void> => {
  try {
    const python = await interpreter(wanted.env)
    await run(python, ['-m', 'venv', '--without-pip', folder], { env: pipEnv(wanted.env) })
    const ask = 'import sysconfig; print(sysconfig.get_path("purelib"))'
    const { stdout } = await run(join(folder, 'bin/python3'), ['-c', ask], { env: pipEnv(wanted.env) })
    await pipInstall(stdout.trim(), wanted)
  } catch (error) {
    throw error instanceof UserError ? error : explainPip(error, wanted.what, wanted.instead)
  }
}
