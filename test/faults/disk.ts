import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { isRoot } from '../../local/stores/access.js'

/** Why no disk can be mounted here; undefined if one can. */
export const cannotMount =
  isRoot && process.platform === 'linux' ? undefined : 'mounting a small disk (tmpfs) needs root on Linux'

/** A small disk at a folder. */
export interface Disk {
  /** Leaves no room on it until `free` is called. */
  fill: () => void
  free: () => void
  unmount: () => void
}

/** How often what others have freed is filled again, in ms. */
const againMs = 100

/** Mounts an empty disk at a folder. */
export function mountDisk(folder: string, megabytes: number): Disk {
  mkdirSync(folder, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'none', folder])
  const filler = join(folder, 'filler')
  let file: number | undefined
  let timer: NodeJS.Timeout | undefined
  const free = () => {
    clearInterval(timer)
    if (file !== undefined) closeSync(file)
    file = undefined
    rmSync(filler, { force: true })
  }
  return {
    fill: () => {
      file = openSync(filler, 'w')
      const pour = () => pourInto(file!)
      pour()
      timer = setInterval(pour, againMs)
    },
    free,
    unmount: () => {
      free()
      // also if a process that was killed still has a file open
      execFileSync('umount', ['--lazy', folder])
    },
  }
}

/** Appends to a file until the disk is full. */
function pourInto(file: number) {
  for (const block of [1 << 20, 1 << 12].map((size) => Buffer.alloc(size)))
    try {
      // a disk that is nearly full takes a part of a block
      while (writeSync(file, block) > 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
}
