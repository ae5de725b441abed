import { startInstance, type Instance } from './instance.ts'

export interface Supervised {
  readonly pid: number | undefined
  stop(): Promise<void>
}

export interface SupervisedOptions {
  name: string
  args: string[]
  env: NodeJS.ProcessEnv
  /** Where it listens; 0 for any free port. */
  port: number
  log: (name: string, line: string) => void
}

/** How long after its end a process is started again, in ms. */
const pauseMs = 1_000

/** Runs a process that is to run all the time: where it ends by itself, it is started again. */
export async function supervise({ name, args, env, port, log }: SupervisedOptions): Promise<Supervised> {
  let stopping = false
  let instance = start()
  try {
    await instance.ready
  } catch (error) {
    stopping = true
    throw error
  }
  return {
    get pid() {
      return instance.pid
    },
    stop: () => {
      stopping = true
      return instance.stop()
    },
  }

  function start(): Instance {
    const started = startInstance({ name, command: process.execPath, args, env, port, log })
    void started.exited.then((how) => {
      if (stopping) return
      log(name, `ended (${how}); starting it again`)
      setTimeout(() => {
        if (!stopping) instance = start()
      }, pauseMs)
    })
    return started
  }
}
