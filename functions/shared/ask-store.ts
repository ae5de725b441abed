import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { ConfigError, type Config, type Setting } from './config.ts'
import { isUnavailable, reasonOf } from './store-errors.ts'

/** How long a store that does not answer is waited for at the start, in ms. */
export const storeWaitMs = (config: Config) => config.number('STORE_WAIT_SECONDS', 20) * 1000

/**
 * Asks a store until it answers: where many start at once, or the store itself does, trying again costs less than
 * starting again.
 * @throws ConfigError which setting names the store, where it does not answer in time, or refuses
 */
export async function askStore<T>(
  ask: () => Promise<T>,
  { store, setting, waitMs }: { store: string; setting: Setting; waitMs: number },
): Promise<T> {
  const until = performance.now() + waitMs
  for (;;)
    try {
      return await ask()
    } catch (error) {
      if (isUnavailable(error) && performance.now() < until) await setTimeout(Math.min(500, waitMs))
      else
        throw new ConfigError(
          `${setting}: ${store} cannot be used (${reasonOf(error).reason}). Start it, or set ${setting} to where it answers.`,
        )
    }
}

/** How long each knock waits for its answer, in ms. */
const knocks = [100, 200, 400, 800]

/**
 * Waits until packets come back from where a URL points to. The first ones of a new pod are lost where the network's
 * policies do not know it yet, and a driver that connects then hears of it only by the kernel's retransmission, a second
 * later. Never fails: what is wrong with the store, its driver tells.
 * @param port where the URL has none
 */
export async function knock(url: string, port: number): Promise<void> {
  const at = URL.parse(url)
  // several hosts, or a name that stands for some
  if (at === null || at.protocol.endsWith('+srv:')) return
  for (const ms of knocks) if (await answers(at.hostname, Number(at.port) || port, ms)) return
}

const answers = (host: string, port: number, ms: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ host, port, timeout: ms })
    const done = (is: boolean) => () => {
      socket.destroy()
      resolve(is)
    }
    // refused is an answer, too
    socket.on('connect', done(true)).on('error', done(true)).on('timeout', done(false))
  })
