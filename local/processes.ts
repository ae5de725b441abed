import { join } from 'node:path'
import type { Degraded } from '../functions/shared/process/service.ts'
import { domains, functions, type FunctionName } from '../functions/table.ts'
import type { OperationRow } from '../functions/shared/domain.ts'
import { createActivator, type FunctionSpec } from './activator/activator.ts'
import type { Observer } from './activator/observer.ts'
import type { Backend } from './backend.ts'
import type { Environment, ServiceName } from './environment.ts'
import { supervise } from './supervisor.ts'

export interface ProcessesOptions {
  environment: Environment
  /** The folder of the bundled functions. */
  dist: string
  /** The environment that each process inherits, such as PATH. It must not contain our settings. */
  inherited: NodeJS.ProcessEnv
  /** The stable window of the autoscaler, in seconds. */
  window: number
  maxScale: number | undefined
  /** Called with each line that a process writes. */
  log: (name: string, line: string) => void
  observer?: Observer
  /** Called with each service that is started. The returned function is called when it has ended. */
  started?: (name: ServiceName, pid: number) => () => void
}

/** Runs each function in its own process, started when needed. The relay, dispatcher and sandbox always run. */
export async function startProcesses(options: ProcessesOptions): Promise<Backend> {
  const { environment, dist, inherited, window, maxScale, log, observer, started } = options
  const args = [...nodeFlags, join(dist, 'functions/main.js')]
  const activator = createActivator({
    functions: Object.entries(functions).map(([name, row]): FunctionSpec => {
      const { concurrency, maxScale, domain } = row
      const { store } = domains[domain]
      const route =
        'path' in row ? { method: row.method.toUpperCase(), path: (row satisfies OperationRow).path } : {}
      // a process starts so quickly that even what is `warm` elsewhere starts from zero here, and an idle shop stays small
      return { name, store, concurrency, maxScale, minScale: 0, ...route }
    }),
    spawn: (name) => ({
      command: process.execPath,
      args,
      // one of the names above
      env: { ...inherited, ...environment.ofFunction(name as FunctionName) },
    }),
    windowSeconds: window,
    ...(maxScale === undefined ? {} : { maxScale }),
    ...(observer === undefined ? {} : { observer }),
    log,
  })
  const starts = await Promise.allSettled(
    (['payment-sandbox', 'relay', 'dispatcher'] as const).map(async (name) => ({
      name,
      process: await supervise({
        name,
        args,
        env: { ...inherited, ...environment.ofService(name) },
        port: environment.portOf(name),
        log,
        started: (pid) => started?.(name, pid) ?? (() => {}),
      }),
    })),
  )
  const services = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  const close = async () => {
    await Promise.all([activator.close(), ...services.map(({ process }) => process.stop())])
  }
  for (const start of starts)
    if (start.status === 'rejected') {
      await close()
      throw start.reason
    }
  return {
    handle: activator.handle,
    handleInternal: activator.handleInternal,
    scale: activator.scale,
    degraded: async () => {
      const relay = services.find(({ name }) => name === 'relay')
      return relay === undefined ? undefined : degradedAt(relay.process.port)
    },
    processes: () => services.map(({ name, process }) => ({ name, pid: process.pid })),
    close,
  }
}

/** Longer than the relay waits for a store that is silent. */
const patienceMs = 8_000

/** Asks a process which stores do not work for it. */
async function degradedAt(port: number): Promise<Degraded[] | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/readiness`, {
      signal: AbortSignal.timeout(patienceMs),
    })
    // written by addHealth
    return ((await response.json()) as { degraded?: Degraded[] }).degraded ?? []
  } catch {
    // it ends or starts, which its supervisor reports
    return undefined
  }
}

/**
 * Save memory, as there are many small processes: a small young generation and a single worker thread. The script `start`
 * in package.json has them, too, and lets the C library keep one heap for all threads of a process.
 */
export const nodeFlags = ['--max-semi-space-size=2', '--v8-pool-size=1']
