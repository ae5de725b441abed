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
    `Zeroshop already runs on this data folder (process ${pid}). Stop it, or set DATA_DIR to another folder.`,
  )

/** The live owners of files in the folder, other than us; files of dead processes are removed on the way. */
const others = (folder: string, me: ProcessIdentity) =>
  readdirSync(folder)
    .map(parse)
    .filter(({ owner }) => owner.pid !== me.pid || owner.started !== me.started)
    .filter(({ file, owner }) => {
      if (isRunning(owner)) return true
      // A name belongs to one process for ever, so a dead one's file can never be somebody's fresh lock.
      rmSync(join(folder, file), { force: true })
      return false
    })

/**
 * Takes the data folder for this process, making it if need be. Call it before starting stores on it.
 *
 * Node has no flock, and a lock file that is taken over when stale cannot be taken over atomically. So each process
 * first announces a claim under a name of its own, then looks: of two, whoever announced last sees the other.
 * Two that see only each other's claims both step back and try again.
 * @throws UserError when another process has it, or the folder cannot be used
 */
export const lockDataDir = (dataDir: string): Lock => {
  openDataDir(dataDir)
  const me = identify(process.pid)
  if (!me) throw new UserError('Cannot tell processes apart: neither /proc nor ps works here.')
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
