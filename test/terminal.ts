import { spawn, execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { signal } from '../local/stores/process.ts'

/** Nothing here is to take long, but a busy machine may be slow, in ms. */
export const patienceMs = 240_000

const root = join(import.meta.dirname, '..')

/** What a user's shell has: not what npm and vitest add to it, nor our settings. */
function shellEnvironment(): NodeJS.ProcessEnv {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^npm_|^VITEST|^NODE_|^INIT_CWD$|^TEST$|_URL$|^PORT$|^DATA_DIR$|^(FORCE|NO)_COLOR$/i.test(name),
    ),
  )
  const folders = (env['PATH'] ?? '').split(delimiter)
  return {
    ...env,
    NO_COLOR: '1',
    PATH: folders.filter((folder) => !folder.includes('node_modules')).join(delimiter),
  }
}

/** A folder for a test that the user `postgres` may enter, too. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'zeroshop-'))
  chmodSync(folder, 0o755)
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) }
}

/** Every process that has the text in its command line or its environment. */
export function processesWith(text: string): string[] {
  return execFileSync('ps', ['axeww', '-o', 'pid=,stat=,command='], {
    encoding: 'utf8',
    maxBuffer: 64_000_000,
  })
    .split('\n')
    .filter((line) => line.includes(text) && !/^\s*\d+\s+Z/.test(line) && !/^\s*\d+ \S+ ps axeww/.test(line))
    .map((line) => line.slice(0, 200))
}

/** What a test that failed has left. */
export function killAll(text: string): void {
  for (const line of processesWith(text)) signal(Number.parseInt(line, 10), 'SIGKILL')
}

/** Waits until `ask` answers true. */
export async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + patienceMs; !(await ask()); await pause(50))
    if (Date.now() > end) throw new Error(`never came: ${what}`)
}

/**
 * Runs a command as a terminal does: as a process group of its own, which Ctrl-C reaches as a whole.
 * @param folder a text that all of its processes have in their command line or environment
 */
export function runInTerminal(
  folder: string,
  command: string,
  args: string[],
  { cwd = root, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
) {
  const child = spawn(command, args, {
    cwd,
    env: { ...shellEnvironment(), ZEROSHOP_TEST: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  let errors = ''
  const listeners = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => hear(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
    hear(text)
  })
  const exited = new Promise<number | string | null>((resolve, reject) =>
    child.once('error', reject).once('close', (code, signal) => {
      resolve(code ?? signal)
      hear('')
    }),
  )
  function hear(text: string) {
    output += text
    for (const listener of listeners) listener()
  }
  return {
    pid: child.pid!,
    exited,
    output: () => output,
    errors: () => errors.trim(),
    /** Waits for a text; answers its first group. */
    said: (pattern: RegExp): Promise<string> =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => listen('did not come in time'), patienceMs)
        const listen = (failed?: string) => {
          const match = pattern.exec(output)
          const ended = child.exitCode ?? child.signalCode
          const why = failed ?? (ended === null ? undefined : `ended with ${ended}`)
          if (match === null && why === undefined) return
          clearTimeout(late)
          listeners.delete(listener)
          if (match === null) reject(new Error(`${pattern} ${why}; it said:\n${output}`))
          else resolve(match[1] ?? match[0])
        }
        const listener = () => listen()
        listeners.add(listener)
        listen()
      }),
    /** What Ctrl-C does. */
    interrupt: () => process.kill(-child.pid!, 'SIGINT'),
  }
}

export const ready = /Zeroshop is at (http:\S+)/

/** Starts the shop of this working tree on a data folder; `url` when it is ready. */
export function startShop(
  dataDir: string,
  { args = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {},
) {
  const shop = runInTerminal(dataDir, process.execPath, [join(root, 'local/commands/start.ts'), ...args], {
    env: { PORT: '0', DATA_DIR: dataDir, ...env },
  })
  return { ...shop, url: async () => (await shop.said(ready)).replace('localhost', '127.0.0.1') }
}

/** A request to a shop that runs. */
export async function ask(
  url: string,
  method: string,
  path: string,
  { token, body, key }: { token?: string; body?: unknown; key?: string } = {},
) {
  const response = await fetch(url + path, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects in it
  const json: any = text.startsWith('{') ? JSON.parse(text) : undefined
  return { status: response.status, text, body: json, headers: response.headers }
}
