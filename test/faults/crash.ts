import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Context } from './fault.ts'

/** The points at which a process may crash that were passed so far. */
export const passed = ({ shop }: Context) => readdirSync(join(shop.points, 'passed')).map(decodeURIComponent)

/** Has the next process that comes to a point die or stand still there; tells its pid, if one did in time. */
export async function crashAt(
  { shop }: Context,
  point: string,
  { signal = 'SIGKILL', withinMs = 2_000 }: { signal?: 'SIGKILL' | 'SIGSTOP'; withinMs?: number } = {},
): Promise<number | undefined> {
  const armed = join(shop.points, 'armed')
  const fired = () => {
    const file = readdirSync(shop.points).find((name) => name.startsWith('fired-'))
    if (file !== undefined) rmSync(join(shop.points, file))
    return file === undefined ? undefined : Number(file.replace('fired-', ''))
  }
  // whole or not at all
  writeFileSync(`${armed}.new`, `${signal} ${point}`)
  renameSync(`${armed}.new`, armed)
  for (let waited = 0; waited < withinMs; waited += 20) {
    await pause(20)
    const pid = fired()
    if (pid !== undefined) return pid
  }
  rmSync(armed, { force: true })
  // in the last moment
  return fired()
}
