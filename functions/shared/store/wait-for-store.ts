import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import type { Config } from '../process/config.ts'
import { UserError } from '../process/user-error.ts'
import { isUnavailable, reasonOf, tlsProblem } from './store-errors.ts'

/** Returns how long a process waits for a store that does not respond when it starts, in ms. */
export const storeWaitMs = (config: Config) => config.number('STORE_WAIT_SECONDS', 20) * 1000

/**
 * Calls `ask` until the store responds. If many functions start at once, or the store itself is starting,
 * retrying costs less than restarting the process.
 * @returns the result of `ask`
 * @throws UserError if the store does not respond within `waitMs`, returns an error, or has a wrong certificate; it
 *   names the setting
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
      // waiting does not help if the certificate is wrong
      const tls = tlsProblem(error)
      if (tls === undefined && isUnavailable(error) && performance.now() < until)
        await setTimeout(Math.min(500, waitMs))
      else
        throw new UserError(
          `${setting}: ${store} cannot be used (${reasonOf(error).reason}). ` +
            (tls?.advice ?? `Start it, or set ${setting} to its address.`),
        )
    }
}

/** The time between two attempts to connect, and the longest time for all of them, in ms. */
const knockEveryMs = 100
const knockForMs = 2_000

/**
 * Waits until the address in a URL responds, but at most two seconds. A new pod's first packets are lost if
 * the network policies do not include the pod yet. A driver that connects then has to wait a second for the
 * kernel's retransmission. Never throws: the driver reports what is wrong with the store.
 * @param port the port if the URL has none
 */
export async function knock(url: string, port: number): Promise<void> {
  const at = URL.parse(url)
  // a URL with several hosts, or with a name that resolves to several, is not tried
  if (at === null || at.protocol.endsWith('+srv:')) return
  const { promise: answered, resolve } = Promise.withResolvers<void>()
  const sockets: Socket[] = []
  const again = () => {
    if (sockets.length * knockEveryMs >= knockForMs) return resolve()
    // earlier attempts continue beside later ones; a refused connection is a response, too
    const socket = connect({ host: at.hostname, port: Number(at.port) || port })
    sockets.push(socket.on('connect', resolve).on('error', resolve))
  }
  again()
  const timer = setInterval(again, knockEveryMs)
  await answered
  clearInterval(timer)
  for (const socket of sockets) socket.destroy()
}

/**
 * Waits until the network reaches a store.
 * @param setting the setting that contains the store's URL
 * @param port the port if the URL has none
 */
export const knockAt = (config: Config, setting: string, port: number): Promise<void> =>
  knock(config.get(setting) ?? '', port)

/**
 * Returns the check, and prevents an unhandled rejection if it fails before it is awaited. It runs while the
 * function is loaded; the server awaits it before it listens.
 */
export function inBackground(check: Promise<void>): Promise<void> {
  check.catch(() => {})
  return check
}
