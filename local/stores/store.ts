/** A store that is ready to be used: one that we run, or one that an URL in the environment points at. */
export interface Store {
  name: StoreName
  /** Where to connect to. It may hold a password: never print it. */
  url: string
  /** What was taken and why, in one line for the start-up output. */
  origin: string
  /** Undefined when somebody else runs it. */
  pid: number | undefined
  /** Resolves with the reason if it stops although nobody called `stop`; else never. */
  died: Promise<string>
  /** Stops it cleanly; kills it after 3 s. Does nothing for a store that we do not run. May be called twice. */
  stop(): Promise<void>
}

export type StoreName = 'postgres' | 'nats' | 'mongodb'

export interface StoreOptions {
  /** The folder that `lockDataDir` locked. */
  dataDir: string
  /** Where the URLs and the PATH are read from. Default: `process.env`. */
  env?: NodeJS.ProcessEnv
  /** False trades safety against power loss for speed (tests). Default: true. */
  durable?: boolean
  /** Told about what takes long: a download, taking over a store that a killed run left. */
  log?: (line: string) => void
}

/** A store that somebody else runs: there is nothing to stop, and we do not watch it. */
export const externalStore = (name: StoreName, url: string, origin: string): Store => ({
  name,
  url,
  origin,
  pid: undefined,
  died: new Promise(() => {}),
  stop: async () => {},
})
