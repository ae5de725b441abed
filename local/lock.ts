import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { explainDataDir, openDataDir } from './stores/data-dir.ts'
import { codeOf } from './stores/field.ts'
import type { ProcessIdentity } from './stores/process.ts'
import { identify, isRunning } from './stores/process.ts'
import { UserError } from '../functions/shared/process/user-error.ts'

export interface Lock {
  release(): void
}

type Kind = 'claim' | 'held'

const fileOf = ({ pid, started }: ProcessIdentity, kind: Kind): string => `${pid}.${started}.${kind}`

const parse = (file: string): { file: string; owner: ProcessIdentity; kind: string } => {
  const [pid = '', started = '', kind = ''] = file.split('.')
  return { file, owner: { pid: Number(pid), started }, kind }
}

const create = (path: string): void => closeSync(openSync(path, 'wx'))

const pause = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const taken = (pid: number): UserError =>
  new UserError(
    `Zeroshop is already running on this data folder (process ${pid}). Stop it, or set DATA_DIR to another folder.`,
  )

/** Returns the claims and locks of other running processes. Removes the files of processes that have ended. */
const others = (folder: string, me: ProcessIdentity) =>
  readdirSync(folder)
    .map(parse)
    .filter(({ owner }) => owner.pid !== me.pid || owner.started !== me.started)
    .filter(({ file, owner }) => {
      if (isRunning(owner)) return true
      // no later process can have the same name, so this cannot remove a new lock
      rmSync(join(folder, file), { force: true })
      return false
    })

/**
 * Locks the data folder for this process, and creates it if it does not exist. Must be called before stores are started
 * on it.
 *
 * Node has no flock, and a stale lock file cannot be replaced atomically. Therefore each process first creates a claim
 * with its own name, then lists the folder. Of two processes, the one that creates its claim last sees the other's claim.
 * If both see only claims, both withdraw and retry.
 * @throws UserError if another process holds the lock, or the folder cannot be used
 */
export const lockDataDir = (dataDir: string): Lock => {
  openDataDir(dataDir)
  const me = identify(process.pid)
  if (!me) throw new UserError('Cannot identify processes: neither /proc nor ps works here.')
  const folder = join(dataDir, 'lock')
  const claim = join(folder, fileOf(me, 'claim'))
  const held = join(folder, fileOf(me, 'held'))
  const release = () => {
    rmSync(held, { force: true })
    rmSync(claim, { force: true })
  }
  try {
    mkdirSync(folder, { recursive: true })
    for (;;) {
      try {
        create(claim)
      } catch (error) {
        throw codeOf(error) === 'EEXIST' ? taken(me.pid) : error
      }
      const rivals = others(folder, me)
      if (rivals.length === 0) {
        create(held)
        return { release }
      }
      release()
      const holder = rivals.find(({ kind }) => kind === 'held')
      if (holder) throw taken(holder.owner.pid)
      pause(1 + Math.random() * 20)
    }
  } catch (error) {
    throw error instanceof UserError ? error : explainDataDir(error, dataDir)
  }
}
