/** What runs all the time and is not called by users. */
export interface Service {
  /** Throws where it cannot do its work. */
  ping: () => Promise<void>
  close: () => Promise<void>
}
