/**
 * A mistake or an outage that the user can fix. The message says what to do, and is the only thing that a
 * command prints about it.
 */
export class UserError extends Error {
  override name = 'UserError'
}
