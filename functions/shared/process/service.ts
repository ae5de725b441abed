/** What runs all the time and is not called by users. */
export interface Service {
  /** Throws where it cannot do its work. */
  ping: () => Promise<void>
  /** Rejects with a UserError if the store cannot be reached or is of another version; looked at before serving. */
  checked: Promise<void>
  close: () => Promise<void>
}
