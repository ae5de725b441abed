import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fieldOf, textOf } from './field.ts'
import type { ProcessIdentity } from './process.ts'
import { identify, isRunning, signal } from './process.ts'

export type StopSignal = 'SIGINT' | 'SIGTERM'

/** What is written down about a store that runs, so that the next start can stop it if its runner was killed. */
interface Running extends ProcessIdentity {
  stopSignal: StopSignal
}

const folderOf = (dataDir: string): string => join(dataDir, 'run')

const fileOf = (dataDir: string, name: string): string => join(folderOf(dataDir), `${name}.json`)

/** Writes down that a process runs on this data folder, so that the next start stops it if this one is killed. */
export const register = (dataDir: string, name: string, pid: number, stopSignal: StopSignal): void => {
  const identity = identify(pid)
  if (!identity) return
  mkdirSync(folderOf(dataDir), { recursive: true })
  const file = fileOf(dataDir, name)
  const running: Running = { ...identity, stopSignal }
  writeFileSync(`${file}.new`, JSON.stringify(running))
  renameSync(`${file}.new`, file)
}

/** Strikes out what `register` wrote, once the process has ended. */
export const unregister = (dataDir: string, name: string): void =>
  rmSync(fileOf(dataDir, name), { force: true })

/** Asks a process to stop, waits up to `grace` ms, then kills it. Resolves when it is gone. */
export const endProcess = async (running: Running, grace = 3000): Promise<void> => {
  if (!isRunning(running)) return
  signal(running.pid, running.stopSignal)
  const deadline = Date.now() + grace
  while (isRunning(running)) {
    if (Date.now() > deadline) signal(running.pid, 'SIGKILL')
    // It is not our child, so there is no event to wait for.
    await setTimeout(20)
  }
}

const read = (file: string): Running | undefined => {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
    const stopSignal = textOf(content, 'stopSignal') === 'SIGINT' ? 'SIGINT' : 'SIGTERM'
    return { pid: Number(fieldOf(content, 'pid')), started: textOf(content, 'started') ?? '', stopSignal }
  } catch {
    return undefined
  }
}

/**
 * Stops the stores that a killed run left behind on this data folder: all of them, or the one named.
 * Only to be called by who holds the folder's lock.
 */
export const stopLeftovers = async (
  dataDir: string,
  options: { name?: string; log?: (line: string) => void } = {},
): Promise<void> => {
  let files: string[]
  try {
    files = readdirSync(folderOf(dataDir))
  } catch {
    return
  }
  const stopOne = async (file: string): Promise<void> => {
    const running = read(join(folderOf(dataDir), file))
    if (running && isRunning(running)) {
      options.log?.(
        `Stopping ${file.replace('.json', '')} (process ${running.pid}), left by a run that was killed`,
      )
      await endProcess(running)
    }
    rmSync(join(folderOf(dataDir), file), { force: true })
  }
  const wanted = options.name === undefined ? files : files.filter((file) => file === `${options.name}.json`)
  await Promise.all(wanted.map(stopOne))
}
