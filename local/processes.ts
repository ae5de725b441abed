import { join } from 'node:path'
import { functions, type FunctionName } from '../functions/table.ts'
import type { OperationRow } from '../functions/shared/domain.ts'
import { createActivator, type FunctionSpec } from './activator/activator.ts'
import type { Backend } from './backend.ts'
import type { Environment, ServiceName } from './environment.ts'
import { supervise } from './supervisor.ts'

export interface ProcessesOptions {
  environment: Environment
  /** Where `bundle` put the functions. */
  dist: string
  /** What every process inherits: PATH and the like, never our settings. */
  inherited: NodeJS.ProcessEnv
  /** In seconds. */
  window: number
  maxScale: number | undefined
  log: (name: string, line: string) => void
  /** Told of each process that runs all the time, and when it has ended. */
  started?: (name: ServiceName, pid: number) => () => void
}

/** Every function as a process of its own, started when it is needed; relay, dispatcher and sandbox all the time. */
export async function startProcesses(options: ProcessesOptions): Promise<Backend> {
  const { environment, dist, inherited, window, maxScale, log, started } = options
  const args = [...nodeFlags, join(dist, 'functions/main.js')]
  const base = { ...inherited, NODE_COMPILE_CACHE: join(dist, 'cache') }
  const activator = createActivator({
    functions: Object.entries(functions).map(([name, row]): FunctionSpec => {
      const { concurrency, maxScale, scaling } = row
      const route =
        'path' in row ? { method: row.method.toUpperCase(), path: (row satisfies OperationRow).path } : {}
      return { name, concurrency, maxScale, minScale: scaling === 'warm' ? 1 : 0, ...route }
    }),
    spawn: (name) => ({
      command: process.execPath,
      args,
      // it gives back a name from above
      env: { ...base, ...environment.ofFunction(name as FunctionName) },
    }),
    windowSeconds: window,
    ...(maxScale === undefined ? {} : { maxScale }),
    log,
  })
  const starts = await Promise.allSettled(
    (['payment-sandbox', 'relay', 'dispatcher'] as const).map(async (name) => ({
      name,
      process: await supervise({
        name,
        args,
        env: { ...base, ...environment.ofService(name) },
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
    processes: () => services.map(({ name, process }) => ({ name, pid: process.pid })),
    close,
  }
}

/** Many small processes: little room for young objects, no compiler threads of their own. */
const nodeFlags = ['--max-semi-space-size=2', '--v8-pool-size=1']
