import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Context } from './fault.ts'

/** Returns the failpoints that were passed so far. */
export const passed = ({ shop }: Context) => readdirSync(join(shop.points, 'passed')).map(decodeURIComponent)

/** Kills or suspends the next process that reaches a failpoint. Returns its pid, if one did in time. */
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
  // renamed, so that a process never reads a half-written file
  writeFileSync(`${armed}.new`, `${signal} ${point}`)
  renameSync(`${armed}.new`, armed)
  for (let waited = 0; waited < withinMs; waited += 20) {
    await pause(20)
    const pid = fired()
    if (pid !== undefined) return pid
  }
  rmSync(armed, { force: true })
  // a process may have reached it in the meantime
  return fired()
}
