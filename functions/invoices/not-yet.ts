import { Unavailable } from '../shared/store/store-errors.ts'

/** How long an event waits for another one that comes before it, in ms. */
const patienceMs = 24 * 60 * 60 * 1000

/**
 * Returns the error of an event that came before another one on which it depends. It is delivered again until that one
 * has come. After a day it becomes a dead letter like any other: a payment of before there were invoices has none.
 */
export const notYet = (time: Date, what: string): Error =>
  Date.now() - time.getTime() < patienceMs ? new Unavailable(`${what} yet`) : new Error(what)
