/** Node projects outside of ours, for packages that are too large to be dependencies. */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pc from 'picocolors'
import { UserError } from '../functions/shared/process/user-error.ts'
import type { Startup } from './startup.ts'
import { textOf } from './stores/field.ts'

const execute = promisify(execFile)

interface Outside {
  /** Where the project is. */
  folder: string
  /** The folder with our files for it. */
  files: string
  /** Exactly these packages are installed, and kept for the next run. */
  dependencies: Readonly<Record<string, string>>
}

/** Makes or updates a project. @throws UserError if its packages cannot be installed */
export async function makeOutside(startup: Startup, { folder, files, dependencies }: Outside): Promise<void> {
  mkdirSync(folder, { recursive: true })
  cpSync(files, folder, { recursive: true })
  const manifest = join(folder, 'package.json')
  const content = { private: true, dependencies }
  const wanted = JSON.stringify(content, null, 2)
  // npm writes this file last
  const installed = existsSync(join(folder, 'node_modules/.package-lock.json'))
  if (installed && readFileSync(manifest, 'utf8') === wanted) return
  console.error(pc.dim(`installing ${Object.keys(dependencies).join(', ')} in ${folder} …`))
  // its packages count as installed only once this file has its name
  writeFileSync(manifest, JSON.stringify({ ...content, draft: true }))
  const options = ['install', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error']
  await command(startup, `Installing packages in ${folder}`, folder, 'npm', options)
  writeFileSync(manifest, wanted)
}

/**
 * Runs a command in a folder until it ends.
 * @param what what it does, for messages
 * @throws UserError with the end of its output if it fails
 */
export async function command(
  startup: Startup,
  what: string,
  folder: string,
  file: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const stopping = new AbortController()
  const running = execute(file, args, {
    cwd: folder,
    env,
    signal: stopping.signal,
    maxBuffer: 64_000_000,
    timeout: 600_000,
  })
  startup.onStop(async () => {
    stopping.abort()
    await running.catch(() => {})
  })
  try {
    await running
  } catch (error) {
    const said = `${textOf(error, 'stdout') ?? ''}\n${textOf(error, 'stderr') ?? ''}`.trim()
    const output = said === '' ? (textOf(error, 'message') ?? '') : said.slice(-2_000)
    throw new UserError(`${what} failed:\n${output}`)
  }
}
