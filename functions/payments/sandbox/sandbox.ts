import { uuidv7 } from 'uuidv7'
import { cardOf } from './cards.ts'

/**
 * The payment provider's own rules, without HTTP and without a disk: what a payment is, what may be done to it,
 * and what each Idempotency-Key has done. Amounts are in minor units.
 */

export interface SandboxPayment {
  id: string
  reference: string
  cardToken: string
  status: 'authorized' | 'captured' | 'voided' | 'declined'
  amount: { amount: number; currency: string }
  captured: number
  refunded: number
  declineReason?: string
}

export type Deed = 'authorize' | 'capture' | 'void' | 'refund'

/** One request that was decided: a line of the journal. */
export interface Entry {
  seq: number
  at: string
  operation: Deed
  /** The Idempotency-Key, and a hash of the request it came with. */
  key: string
  hash: string
  /** Only what is `done` moved money or a hold on it. */
  outcome: 'done' | 'declined' | 'refused'
  /** What was asked for: of a capture or void, the authorised amount. */
  amount: number
  /** Why it was refused. */
  refusal?: string
  /** The payment as it is from now on. */
  payment: SandboxPayment
}

type Verdict = Pick<Entry, 'outcome' | 'refusal' | 'payment'>

/** A new payment: authorised, or declined for what its card says. */
export function authorize(
  id: string,
  request: Pick<SandboxPayment, 'reference' | 'cardToken' | 'amount'>,
): Verdict {
  const { declined } = cardOf(request.cardToken)
  const payment = { id, ...request, captured: 0, refunded: 0 }
  return declined === undefined
    ? { outcome: 'done', payment: { ...payment, status: 'authorized' } }
    : { outcome: 'declined', payment: { ...payment, status: 'declined', declineReason: declined } }
}

/** What becomes of a payment, or why not. */
export function perform(payment: SandboxPayment, deed: Exclude<Deed, 'authorize'>, amount: number): Verdict {
  const done = (change: Partial<SandboxPayment>): Verdict => ({
    outcome: 'done',
    payment: { ...payment, ...change },
  })
  const refused = (refusal: string): Verdict => ({ outcome: 'refused', refusal, payment })
  if (deed === 'refund') {
    if (payment.status !== 'captured') return refused(`a payment that is ${payment.status} has no refunds`)
    if (payment.refunded + amount > payment.captured)
      return refused(`only ${payment.captured - payment.refunded} is left to refund`)
    return done({ refunded: payment.refunded + amount })
  }
  if (payment.status !== 'authorized') return refused(`the payment is ${payment.status}`)
  if (deed === 'void') return done({ status: 'voided' })
  if (cardOf(payment.cardToken).refusesCapture) return refused('the issuer refuses the capture')
  return done({ status: 'captured', captured: payment.amount.amount })
}

/** Everything that the sandbox remembers, rebuilt from its journal. */
export class Sandbox {
  readonly #payments = new Map<string, SandboxPayment>()
  readonly #byReference = new Map<string, string>()
  readonly #byKey = new Map<string, Entry>()
  readonly #turnedAway = new Set<string>()
  readonly #record: (entry: Entry) => void
  #seq = 0

  /**
   * @param journal what was decided before
   * @param record takes each further decision, in order
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

  /** What was decided for a key. */
  byKey(key: string): Entry | undefined {
    return this.#byKey.get(key)
  }

  /** Whether a flaky card turns this attempt away: only the first of each operation on a payment since the start. */
  turnsAway(operation: Deed, reference: string, cardToken: string): boolean {
    const attempt = `${operation} ${reference}`
    if (!cardOf(cardToken).flaky || this.#turnedAway.has(attempt)) return false
    this.#turnedAway.add(attempt)
    return true
  }

  /** Decides a request under a new key, and remembers it; the reference may have only one payment. */
  authorize(
    request: Pick<SandboxPayment, 'reference' | 'cardToken' | 'amount'>,
    by: Pick<Entry, 'key' | 'hash'>,
  ): Entry {
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
