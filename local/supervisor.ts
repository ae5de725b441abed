import { createBackoff } from './activator/backoff.ts'
import { startInstance, type Instance } from './activator/instance.ts'
import { UserError } from '../functions/shared/process/user-error.ts'

export interface Supervised {
  readonly pid: number | undefined
  stop(): Promise<void>
}

export interface SupervisedOptions {
  name: string
  args: string[]
  env: NodeJS.ProcessEnv
  /** The port to listen on; 0 for any free port. */
  port: number
  /** Called with each line that the process writes, and with the reason if it ends unexpectedly. */
  log: (name: string, line: string) => void
  /** Called with the pid of each process that is started. The returned function is called when it has ended. */
  started?: (pid: number) => () => void
}

/** If a process ran for longer than this, its end does not count as a failed start, in ms. */
const settledMs = 10_000

/**
 * Runs a process, and restarts it if it ends. After repeated failures, it pauses before each restart, for up to 30 s.
 * @throws UserError if the first start fails
 */
export async function supervise(options: SupervisedOptions): Promise<Supervised> {
  const { name, args, env, port, log } = options
  const backoff = createBackoff()
  let stopping = false
  let timer: NodeJS.Timeout | undefined
  let instance = start()
  try {
    await instance.ready
  } catch (error) {
    await stop()
    const [how, ...said] = (error as Error).message.split('\n')
    const last = said.findLast((line) => /^zeroshop:|Error/.test(line)) ?? said.at(-1)
    throw new UserError(last === undefined ? how : `${how}: ${last}`)
  }
  return {
    get pid() {
      return instance.pid
    },
    stop,
  }

  function stop(): Promise<void> {
    stopping = true
    clearTimeout(timer)
    return instance.stop()
  }

  function start(): Instance {
    const startedAt = performance.now()
    const started = startInstance({ name, command: process.execPath, args, env, port, log })
    const ended = started.pid === undefined ? undefined : options.started?.(started.pid)
    void started.exited.then((how) => {
      ended?.()
      if (stopping) return
      const now = performance.now()
      if (now - startedAt > settledMs) backoff.succeeded()
      backoff.failed(now, startedAt)
      const pause = backoff.pause(now)
      const when = pause === 0 ? 'now' : `in ${Math.round(pause / 1000)} s`
      const often = backoff.failures > 1 ? `, ${backoff.failures} times in a row` : ''
      log(name, `ended (${how}${often}); restarting it ${when}`)
      timer = setTimeout(() => (instance = start()), pause)
    })
    return started
  }
}
