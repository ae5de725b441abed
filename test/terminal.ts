import { spawn, execFileSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { signal } from '../local/stores/process.ts'

/** How long tests wait, in ms. A busy machine may be slow. */
export const patienceMs = 240_000

const root = join(import.meta.dirname, '..')

/** The environment of a user's shell, without the variables of npm and vitest and without our settings. */
function shellEnvironment(): Record<string, string | undefined> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^npm_|^VITEST|^NODE_|^INIT_CWD$|^TEST$|_URL$|^PORT$|^DATA_DIR$|^XDG_|^(FORCE|NO)_COLOR$/i.test(
          name,
        ),
    ),
  )
  const folders = (env['PATH'] ?? '').split(delimiter)
  return {
    ...env,
    NO_COLOR: '1',
    PATH: folders.filter((folder) => !folder.includes('node_modules')).join(delimiter),
  }
}

/** Returns every process with this text in its command line or its environment. */
export function processesWith(text: string): string[] {
  return execFileSync('ps', ['axeww', '-o', 'pid=,stat=,command='], {
    encoding: 'utf8',
    maxBuffer: 64_000_000,
  })
    .split('\n')
    .filter((line) => line.includes(text) && !/^\s*\d+\s+Z/.test(line) && !/^\s*\d+ \S+ ps axeww/.test(line))
    .map((line) => line.slice(0, 200))
}

/** Kills the processes that a failed test has left running. */
export function killAll(text: string): void {
  for (const line of processesWith(text)) signal(Number.parseInt(line, 10), 'SIGKILL')
}

/** Waits until `ask` returns true. */
export async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + patienceMs; !(await ask()); await pause(50))
    if (Date.now() > end) throw new Error(`timed out waiting for: ${what}`)
}

/** Another user of the machine. */
export interface OtherUser {
  uid: number
  gid: number
  home: string
}

/**
 * Runs a command as a terminal does, in its own process group, so that Ctrl-C reaches all of its processes.
 * @param folder a text that is put into the environment of all its processes, for `processesWith`
 * @param options `as` is the user to run it as
 */
export function runInTerminal(
  folder: string,
  command: string,
  args: string[],
  { cwd = root, env = {}, as }: { cwd?: string; env?: Record<string, string>; as?: OtherUser } = {},
) {
  const child = spawn(command, args, {
    cwd,
    env: { ...shellEnvironment(), ZEROSHOP_TEST: folder, ...env, ...(as && { HOME: as.home }) },
    ...(as && { uid: as.uid, gid: as.gid }),
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
    /** Waits for a text. Returns the first group of the match, or the whole match. */
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
          if (match === null) reject(new Error(`${pattern} ${why}; its output:\n${output}`))
          else resolve(match[1] ?? match[0])
        }
        const listener = () => listen()
        listeners.add(listener)
        listen()
      }),
    /** Sends SIGINT to the whole group, as Ctrl-C does. */
    interrupt: () => process.kill(-child.pid!, 'SIGINT'),
  }
}

export const ready = /Zeroshop is at (http:\S+)/

/** Starts the shop of this working tree on a data folder. `url` resolves when the shop is ready. */
export function startShop(
  dataDir: string,
  { args = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {},
) {
  const shop = runInTerminal(dataDir, process.execPath, [join(root, 'local/commands/start.ts'), ...args], {
    env: { PORT: '0', DATA_DIR: dataDir, ...env },
  })
  return { ...shop, url: async () => (await shop.said(ready)).replace('localhost', '127.0.0.1') }
}
