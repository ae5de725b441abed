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
