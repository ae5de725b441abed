import { startInstance, type Instance } from './activator/instance.ts'
import { createRestarts } from './restarts.ts'
import { UserError } from '../functions/shared/process/user-error.ts'

export interface Supervised {
  readonly pid: number | undefined
  /** Where it listens; 0 while it starts. */
  readonly port: number
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

/**
 * Runs a process, and restarts it if it ends. After repeated failures, it pauses before each restart, for up to 30 s.
 * @throws UserError if the first start fails
 */
export async function supervise(options: SupervisedOptions): Promise<Supervised> {
  const { name, args, env, port, log } = options
  const restarts = createRestarts()
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
    get port() {
      return instance.port
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
      const { pauseMs, when } = restarts.after(startedAt)
      const often = restarts.failures > 1 ? `, ${restarts.failures} times in a row` : ''
      log(name, `ended (${how}${often}); restarting it ${when}`)
      timer = setTimeout(() => (instance = start()), pauseMs)
    })
    return started
  }
}
