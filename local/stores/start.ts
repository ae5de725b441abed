import { startMongo } from './mongodb.ts'
import { startNats } from './nats.ts'
import { startPostgres } from './postgres.ts'
import type { Store, StoreOptions } from './store.ts'

export interface Stores {
  postgres: Store
  nats: Store
  mongodb: Store
}

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
