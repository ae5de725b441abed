import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import pc from 'picocolors'
import { UserError } from '../../functions/shared/process/user-error.ts'
import type { Startup } from '../../local/startup.ts'
import { userCache } from '../../local/stores/data-folder.js'
import { textOf } from '../../local/stores/field.ts'

const execute = promisify(execFile)

/**
 * Returns the folder of a system's project outside of ours, with our files for it and exactly these packages, which are
 * kept for the next run.
 * @param name a folder beside this file
 * @throws UserError if they cannot be installed
 */
export async function project(
  startup: Startup,
  name: string,
  dependencies: Record<string, string>,
): Promise<string> {
  const folder = join(resolve(process.env['PEERS_DIR'] ?? join(userCache(process.env), 'peers')), name)
  mkdirSync(folder, { recursive: true })
  cpSync(join(import.meta.dirname, name), folder, { recursive: true })
  const manifest = join(folder, 'package.json')
  const content = { private: true, dependencies }
  const wanted = JSON.stringify(content, null, 2)
  // npm writes this file last
  const installed = existsSync(join(folder, 'node_modules/.package-lock.json'))
  if (installed && readFileSync(manifest, 'utf8') === wanted) return folder
  console.error(pc.dim(`installing ${name} in ${folder} …`))
  // its packages count as installed only once this file has its name
  writeFileSync(manifest, JSON.stringify({ ...content, draft: true }))
  const options = ['install', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error']
  await command(startup, `Installing ${name} in ${folder}`, folder, 'npm', options)
  writeFileSync(manifest, wanted)
  return folder
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
