import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../local/ports.ts'
import { temporaryDataDir } from '../local/stores/temporary.ts'
import { family, median, memoryOf, root } from './harness.ts'
import type { Result } from './result.ts'

/** `npm start` on a data folder that has been used, to ready; and what the idle system holds of memory. */
export async function startUp(): Promise<Result[]> {
  const { dataDir, remove } = temporaryDataDir()
  const seconds: number[] = []
  let memory = { pss: Number.NaN, rss: Number.NaN }
  try {
    for (let n = 0; n < 4; n++) {
      const run = await npmStart(dataDir)
      if (n > 0) seconds.push(run.seconds)
      if (n === 3) {
        // what starting took is given back
        await pause(3_000)
        memory = memoryOf(family(run.pid))
      }
      await run.stop()
    }
  } finally {
    await remove()
  }
  return [
    {
      what: 'second npm start to ready',
      ours: `${median(seconds).toFixed(1)} s`,
      against: '',
      ratio: '',
      goal: '≤ 6 s',
      met: median(seconds) <= 6,
    },
    {
      what: 'idle system, resident (PSS)',
      ours: `${memory.pss.toFixed(0)} MiB`,
      against: `${memory.rss.toFixed(0)} MiB RSS: shared pages in each process`,
      ratio: '',
      goal: '≤ 400 MB',
      met: memory.pss <= 400_000_000 / 1024 / 1024,
    },
  ]
}

async function npmStart(dataDir: string) {
  const began = performance.now()
  const child = spawn('npm', ['start'], {
    cwd: root,
    env: { ...process.env, DATA_DIR: dataDir, PORT: String(await freePort()) },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  await new Promise<void>((resolve) => lines.on('line', (line) => line.includes('ready in') && resolve()))
  return {
    pid: child.pid!,
    seconds: (performance.now() - began) / 1000,
    stop: async () => {
      // as Ctrl-C does: the whole group of the terminal
      process.kill(-child.pid!, 'SIGINT')
      await exited
    },
  }
}
