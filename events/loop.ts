import type { Logger } from 'pino'

export interface Failing {
  since: Date
  /** The last error. */
  error: unknown
}

/** When work is to be run again if nothing wakes it before. */
export interface Again {
  withinMs: number
}

/**
 * Does some work. Returns how much it did, or when to run it again. Gets what `failing` is, because its first run
 * starts before the loop is constructed.
 */
type Work = (failing: Failing | undefined) => Promise<number | Again>

/**
 * Repeats work: at once if the last run returned more than 0, when woken, and otherwise after a pause, or when the
 * last run said. A failure is logged, and the work is retried after a pause that grows to 5 s.
 */
export class Loop {
  readonly #ended: Promise<void>
  #stopped = false
  #woken = false
  #wakeUp: () => void = () => {}
  #failing: Failing | undefined

  constructor(name: string, pauseMs: number, work: Work, log: Logger) {
    this.#ended = this.#run(name, pauseMs, work, log)
  }

  /** Since when every run has failed; undefined if the last run succeeded. */
  get failing(): Failing | undefined {
    return this.#failing
  }

  /** Runs the work now, or once more after the present run. Does not shorten the pause after a failure. */
  wake(): void {
    this.#woken = true
    this.#wakeUp()
  }

  /** Stops the loop and waits for the present run. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wakeUp()
    await this.#ended
  }

  async #run(name: string, pauseMs: number, work: Work, log: Logger) {
    let failed = 0
    while (!this.#stopped) {
      this.#woken = false
      let again = pauseMs
      try {
        const done = await work(this.#failing)
        if (typeof done === 'object') again = done.withinMs
        else if (done > 0) again = 0
        failed = 0
        this.#failing = undefined
      } catch (error) {
        failed++
        this.#failing = { since: this.#failing?.since ?? new Date(), error }
        again = Math.min(100 * 2 ** failed, 5_000)
        log.warn({ err: error, loop: name }, 'failed; trying again')
      }
      if (again > 0) await this.#pause(again, failed > 0)
    }
  }

  #pause(ms: number, afterFailure: boolean): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stopped || (this.#woken && !afterFailure)) return resolve()
      const timer = setTimeout(resolve, ms)
      this.#wakeUp = () => {
        if (afterFailure && !this.#stopped) return
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
