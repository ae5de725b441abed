import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fieldOf, textOf } from './field.ts'
import type { ProcessIdentity } from './process.ts'
import { identify, isRunning, signal } from './process.ts'

export type StopSignal = 'SIGINT' | 'SIGTERM'

/** The record of a running process. */
interface Running extends ProcessIdentity {
  stopSignal: StopSignal
}

const folderOf = (dataDir: string): string => join(dataDir, 'run')

const fileOf = (dataDir: string, name: string): string => join(folderOf(dataDir), `${name}.json`)

/** Records that a process runs on this data folder, so that the next start can stop it if this runner is killed. */
export const register = (dataDir: string, name: string, pid: number, stopSignal: StopSignal): void => {
  const identity = identify(pid)
  if (!identity) return
  mkdirSync(folderOf(dataDir), { recursive: true })
  const file = fileOf(dataDir, name)
  const running: Running = { ...identity, stopSignal }
  writeFileSync(`${file}.new`, JSON.stringify(running))
  renameSync(`${file}.new`, file)
}

/** Removes the record of a process that has ended. */
export const unregister = (dataDir: string, name: string): void =>
  rmSync(fileOf(dataDir, name), { force: true })

/** Sends a process its stop signal, and SIGKILL after `grace` ms. Resolves when it has ended. */
export const endProcess = async (running: Running, grace = 3000): Promise<void> => {
  if (!isRunning(running)) return
  signal(running.pid, running.stopSignal)
  const deadline = Date.now() + grace
  while (isRunning(running)) {
    if (Date.now() > deadline) signal(running.pid, 'SIGKILL')
    // it is not our child, so there is no event to wait for
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
 * Stops the processes that a killed run left on this data folder: all, or only the one with this name. The caller must
 * hold the lock of the folder.
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
        `Stopping ${file.replace('.json', '')} (process ${running.pid}), left over from a run that was killed`,
      )
      await endProcess(running)
    }
    rmSync(join(folderOf(dataDir), file), { force: true })
  }
  const wanted = options.name === undefined ? files : files.filter((file) => file === `${options.name}.json`)
  await Promise.all(wanted.map(stopOne))
}
