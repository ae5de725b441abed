/** A mistake or an outage that a person can put right. The message says what to do, and is all that a command prints. */
export class UserError extends Error {
  override name = 'UserError'
}
