import { keepStore, type KeptStore } from './keep.ts'
import { startMongo } from './mongodb.ts'
import { startNats } from './nats.ts'
import { startPostgres } from './postgres.ts'
import type { Store, StoreName, StoreOptions } from './store.ts'

const starts = { postgres: startPostgres, nats: startNats, mongodb: startMongo }

export type Stores = Record<StoreName, Store>

/** Starts all stores at the same time. `stop` may be called before `ready` settles; it waits until they have started. */
export function startStores(options: StoreOptions): { ready: Promise<Stores>; stop: () => Promise<void> } {
  const starting = [startPostgres(options), startNats(options), startMongo(options)] as const
  const settled = Promise.allSettled(starting)
  return {
    ready: settled.then(async () => {
      const [postgres, nats, mongodb] = await Promise.all(starting)
      return { postgres, nats, mongodb }
    }),
    stop: async () => {
      const started = (await settled).flatMap((result) =>
        result.status === 'fulfilled' ? [result.value] : [],
      )
      await Promise.all(started.map((store) => store.stop()))
    },
  }
}

/** Keeps stores running that have been started with the same options. */
export const keepStores = (
  stores: Stores,
  options: StoreOptions,
  log: (name: StoreName, line: string) => void,
): KeptStore[] =>
  Object.values(stores).map((store) =>
    keepStore(store, (port) => starts[store.name]({ ...options, port }), log),
  )
