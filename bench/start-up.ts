import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../local/ports.ts'
import { temporaryDataDir } from '../local/stores/temporary.ts'
import { family, median, memoryOf, root } from './harness.ts'
import type { Result } from './result.ts'

/** Measures `npm start` on an existing data folder until it is ready, and the memory of the idle system. */
export async function startUp(): Promise<Result[]> {
  const { dataDir, remove } = temporaryDataDir()
  const seconds: number[] = []
  let memory = { pss: Number.NaN, rss: Number.NaN }
  try {
    for (let n = 0; n < 4; n++) {
      const run = await npmStart(dataDir)
      if (n > 0) seconds.push(run.seconds)
      // what the first start has emitted is handled, which starts functions
      else await pause(10_000)
      if (n === 3) {
        // the memory that the start needed is freed in this time
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
      goal: '≤ 350 MiB',
      met: memory.pss <= 350,
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
      // signals the whole process group, as Ctrl-C does
      process.kill(-child.pid!, 'SIGINT')
      await exited
    },
  }
}
