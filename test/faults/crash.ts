import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Context } from './fault.ts'

/** The points at which a process may crash that were passed so far. */
export const passed = ({ shop }: Context) => readdirSync(join(shop.points, 'passed')).map(decodeURIComponent)

/** Has the next process that comes to a point die there; tells whether one did within a few seconds. */
export async function crashAt({ shop }: Context, point: string): Promise<boolean> {
  const armed = join(shop.points, 'armed')
  // whole or not at all
  writeFileSync(`${armed}.new`, point)
  renameSync(`${armed}.new`, armed)
  for (let tries = 0; tries < 100; tries++) {
    await pause(20)
    if (existsSync(join(shop.points, 'fired'))) {
      rmSync(join(shop.points, 'fired'))
      return true
    }
  }
  rmSync(armed, { force: true })
  return false
}
