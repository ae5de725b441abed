/** What a process needs while it serves: its stores, with their checks. */
export interface Service {
  /** Rejects if a store cannot be reached. */
  ping: () => Promise<void>
  /**
   * Rejects with a UserError if the store cannot be reached, or its version does not fit this code. The
   * server awaits it before it listens.
   */
  checked: Promise<void>
  close: () => Promise<void>
}
