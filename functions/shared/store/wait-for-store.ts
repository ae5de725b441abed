import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import type { Config } from '../process/config.ts'
import { UserError } from '../process/user-error.ts'
import { isUnavailable, reasonOf } from './store-errors.ts'

/** How long a store that does not answer is waited for at the start, in ms. */
export const storeWaitMs = (config: Config) => config.number('STORE_WAIT_SECONDS', 20) * 1000

/**
 * Asks a store until it answers: where many start at once, or the store itself does, trying again costs less than
 * starting again.
 * @throws UserError which setting names the store, where it does not answer in time, or refuses
 */
export async function askStore<T>(
  ask: () => Promise<T>,
  { store, setting, waitMs }: { store: string; setting: string; waitMs: number },
): Promise<T> {
  const until = performance.now() + waitMs
  for (;;)
    try {
      return await ask()
    } catch (error) {
      if (isUnavailable(error) && performance.now() < until) await setTimeout(Math.min(500, waitMs))
      else
        throw new UserError(
          `${setting}: ${store} cannot be used (${reasonOf(error).reason}). Start it, or set ${setting} to where it answers.`,
        )
    }
}

/** How often it is knocked, and how long at most, in ms. */
const knockEveryMs = 100
const knockForMs = 2_000

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
  const { promise: answered, resolve } = Promise.withResolvers<void>()
  const sockets: Socket[] = []
  const again = () => {
    if (sockets.length * knockEveryMs >= knockForMs) return resolve()
    // each goes on waiting beside those after it; refused is an answer, too
    const socket = connect({ host: at.hostname, port: Number(at.port) || port })
    sockets.push(socket.on('connect', resolve).on('error', resolve))
  }
  again()
  const timer = setInterval(again, knockEveryMs)
  await answered
  clearInterval(timer)
  for (const socket of sockets) socket.destroy()
}
