/** A store that is ready. Either we run it, or a URL in the environment points to it. */
export interface Store {
  name: StoreName
  /** The URL to connect to. It may contain a password, so it must not be printed. */
  url: string
  /** Which store is used and why, in one line for the start-up output. */
  origin: string
  /** Undefined if we do not run it. */
  pid: number | undefined
  /** Resolves with the reason if it ends although `stop` was not called. Otherwise never settles. */
  died: Promise<string>
  /** Stops the store, and kills it after 3 s. Does nothing if we do not run it. May be called twice. */
  stop(): Promise<void>
}

export type StoreName = 'postgres' | 'nats' | 'mongodb'

export interface StoreOptions {
  /** The folder that `lockDataDir` locked. */
  dataDir: string
  /** The environment with the URLs and the PATH (default: `process.env`). */
  env?: NodeJS.ProcessEnv
  /** If false, stores are faster but may lose data in a power failure, for tests (default: true). */
  durable?: boolean
  /** The port to listen on at 127.0.0.1 (default: any free port). */
  port?: number
  /** Called with a line about steps that take long, such as a download. */
  log?: (line: string) => void
}

/** Returns a store that we do not run, so that it is neither watched nor stopped. */
export const externalStore = (name: StoreName, url: string, origin: string): Store => ({
  name,
  url,
  origin,
  pid: undefined,
  died: new Promise(() => {}),
  stop: async () => {},
})
