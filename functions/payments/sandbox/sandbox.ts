import { uuidv7 } from 'uuidv7'
import { cardOf, type Card } from './cards.ts'

/**
 * The sandbox's rules, without HTTP or disk: payments, the operations on them, and the result stored for each
 * Idempotency-Key. Amounts are in minor units.
 */

export interface SandboxPayment {
  id: string
  reference: string
  /** What its card does. The token itself is not kept. */
  card: Card
  status: 'authorized' | 'captured' | 'voided' | 'declined'
  amount: { amount: number; currency: string }
  captured: number
  refunded: number
  declineReason?: string
}

/** Converts a payment to its answer, without the card: a provider does not tell what a card will do. */
export const toAnswer = (payment: SandboxPayment) => ({ ...payment, card: undefined })

/** The request for a payment. */
export type NewPayment = Pick<SandboxPayment, 'reference' | 'amount'> & { cardToken: string }

export type Deed = 'authorize' | 'capture' | 'void' | 'refund'

/** The decision on one request: a line of the journal. */
export interface Entry {
  seq: number
  at: string
  operation: Deed
  /** The Idempotency-Key and a hash of its request. */
  key: string
  hash: string
  /** Only `done` means that money was moved, held or released. */
  outcome: 'done' | 'declined' | 'refused'
  /** The requested amount; for a void, what is given back. */
  amount: number
  /** Why it was refused. */
  refusal?: string
  /** The payment after the decision. */
  payment: SandboxPayment
}

type Verdict = Pick<Entry, 'outcome' | 'refusal' | 'payment'>

/** Decides on a new payment: authorised or declined, depending on its card. */
export function authorize(id: string, { cardToken, ...request }: NewPayment): Verdict {
  const card = cardOf(cardToken)
  const { declined } = card
  const payment = { id, ...request, card, captured: 0, refunded: 0 }
  return declined === undefined
    ? { outcome: 'done', payment: { ...payment, status: 'authorized' } }
    : { outcome: 'declined', payment: { ...payment, status: 'declined', declineReason: declined } }
}

/** Decides on an operation: returns the changed payment, or why the operation is refused. */
export function perform(payment: SandboxPayment, deed: Exclude<Deed, 'authorize'>, amount: number): Verdict {
  const done = (change: Partial<SandboxPayment>): Verdict => ({
    outcome: 'done',
    payment: { ...payment, ...change },
  })
  const refused = (refusal: string): Verdict => ({ outcome: 'refused', refusal, payment })
  if (deed === 'refund') {
    if (payment.captured === 0) return refused(`a payment that is ${payment.status} has no refunds`)
    if (payment.refunded + amount > payment.captured)
      return refused(`only ${payment.captured - payment.refunded} is left to refund`)
    return done({ refunded: payment.refunded + amount })
  }
  if (payment.status !== 'authorized') return refused(`the payment is ${payment.status}`)
  // what was captured of it stays captured
  if (deed === 'void') return done({ status: payment.captured > 0 ? 'captured' : 'voided' })
  if (payment.card.refusesCapture) return refused('the issuer refuses the capture')
  if (payment.card.refusesSecondCapture && payment.captured > 0)
    return refused('the issuer refuses a second capture')
  const left = payment.amount.amount - payment.captured
  if (amount > left) return refused(`only ${left} is left to capture`)
  return done({ status: amount === left ? 'captured' : 'authorized', captured: payment.captured + amount })
}

/** The state of the sandbox, rebuilt from its journal. */
export class Sandbox {
  readonly #payments = new Map<string, SandboxPayment>()
  readonly #byReference = new Map<string, string>()
  readonly #byKey = new Map<string, Entry>()
  readonly #turnedAway = new Set<string>()
  readonly #record: (entry: Entry) => void
  #seq = 0

  /**
   * @param journal earlier decisions
   * @param record called with each new decision, in sequence
   */
  constructor(journal: Iterable<Entry> = [], record: (entry: Entry) => void = () => {}) {
    for (const entry of journal) this.#remember(entry)
    this.#record = record
  }

  byId(id: string): SandboxPayment | undefined {
    return this.#payments.get(id)
  }

  byReference(reference: string): SandboxPayment | undefined {
    const id = this.#byReference.get(reference)
    return id === undefined ? undefined : this.#payments.get(id)
  }

  /** Returns the decision for a key. */
  byKey(key: string): Entry | undefined {
    return this.#byKey.get(key)
  }

  /**
   * Returns whether a flaky card makes this attempt fail. It does so for the first attempt of each operation
   * on a payment since the sandbox started.
   */
  turnsAway(operation: Deed, reference: string, card: Card): boolean {
    const attempt = `${operation} ${reference}`
    if (!card.flaky || this.#turnedAway.has(attempt)) return false
    this.#turnedAway.add(attempt)
    return true
  }

  /** Decides on a request with a new key and records it. Refuses a second payment for a reference. */
  authorize(request: NewPayment, by: Pick<Entry, 'key' | 'hash'>): Entry {
    const known = this.byReference(request.reference)
    const verdict: Verdict =
      known === undefined
        ? authorize(`pay_${uuidv7().replaceAll('-', '')}`, request)
        : { outcome: 'refused', refusal: 'there is a payment with this reference', payment: known }
    return this.#decide('authorize', by, request.amount.amount, verdict)
  }

  perform(
    payment: SandboxPayment,
    deed: Exclude<Deed, 'authorize'>,
    amount: number,
    by: Pick<Entry, 'key' | 'hash'>,
  ): Entry {
    return this.#decide(deed, by, amount, perform(payment, deed, amount))
  }

  #decide(operation: Deed, by: Pick<Entry, 'key' | 'hash'>, amount: number, verdict: Verdict): Entry {
    const at = new Date().toISOString()
    const entry = { seq: this.#seq + 1, at, operation, key: by.key, hash: by.hash, amount, ...verdict }
    this.#remember(entry)
    this.#record(entry)
    return entry
  }

  #remember(entry: Entry) {
    this.#seq = entry.seq
    this.#byKey.set(entry.key, entry)
    this.#payments.set(entry.payment.id, entry.payment)
    this.#byReference.set(entry.payment.reference, entry.payment.id)
  }
}
