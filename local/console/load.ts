import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'
import { scenarios, type ScenarioName } from '../scenarios.ts'
import { createRing, type Ring } from './ring.ts'
import type { LoadState } from './wire.ts'

const script = join(import.meta.dirname, '../../demo/scale/demo.ts')

/** How many of its last lines are shown: the result, and where the charts are. */
const lines = 2

export const isScenario = (name: unknown): name is ScenarioName =>
  typeof name === 'string' && Object.hasOwn(scenarios, name)

interface Options {
  /** The shop. */
  url: string
  /** The file for the charts of the last load. */
  html: string
}

export type Load = ReturnType<typeof createLoad>

/** Puts load on the shop as `npm run demo:scale` does, one scenario at a time, in a process of its own. */
export function createLoad({ url, html }: Options) {
  let child: ChildProcess | undefined
  let said: Ring<string> | undefined

  return {
    /** Returns the present load or the last one; undefined if there was none. */
    state: (): LoadState | undefined => said && { isRunning: child !== undefined, said: [...said.list()] },

    /** Starts a load. Returns false if one is under way. */
    start(name: ScenarioName): boolean {
      if (child !== undefined) return false
      const args = [script, '--scenario', name, '--now', '--url', url, '--html', html]
      const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
      child = started
      const latest = createRing<string>(lines)
      said = latest
      for (const stream of [started.stdout, started.stderr])
        createInterface({ input: stream }).on('line', (line) => {
          const text = stripVTControlCharacters(line)
          // what is indented is about a single function, which the page shows itself
          if (!/^\S/.test(text)) return
          latest.push(text)
        })
      started.once('error', (error) => latest.push(error.message))
      started.once('close', () => {
        child = undefined
      })
      return true
    },

    /** Ends the load early. @param graceMs how long it may take until it is killed, in ms */
    async stop(graceMs = 5_000): Promise<void> {
      if (child === undefined) return
      const stopping = child
      const ended = once(stopping, 'close')
      stopping.kill('SIGTERM')
      const timer = setTimeout(() => stopping.kill('SIGKILL'), graceMs)
      await ended
      clearTimeout(timer)
    },
  }
}
