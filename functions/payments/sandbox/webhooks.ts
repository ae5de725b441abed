import { setTimeout as delay } from 'node:timers/promises'
import pLimit from 'p-limit'
import { createSigner, readKeys } from '../../../events/signature.ts'
import { post } from '../../shared/http/client.ts'
import type { Config } from '../../shared/process/config.ts'
import { openJournal } from './journal.ts'
import { toAnswer, type Deed, type Entry } from './sandbox.ts'

/**
 * The sandbox's webhooks, in the form of Standard Webhooks: each change of a payment is told to the shop, also if the
 * request that made it was never answered. A webhook that is not taken is sent again, also after a restart. Like those
 * of a real provider, webhooks may come twice and in any order.
 */

export interface WebhookOptions {
  /** Where they are sent. */
  url: string
  /** They are signed with the first of these. */
  keys: readonly string[]
  /**
   * The pauses before the attempts, in ms. The first is longer than an answer takes, as that of a real provider usually
   * is: then the webhook finds that there is nothing left to do.
   */
  pausesMs?: readonly number[]
}

const hourMs = 3_600_000
const usualPausesMs = [1_000, 1_000, 5_000, 30_000, 120_000, 600_000, ...Array<number>(23).fill(hourMs)]

/** A webhook that was not taken by then is given up, in ms. */
const lifetimeMs = 24 * hourMs

/** How long the shop may take to answer, in ms. */
const timeoutMs = 5_000

/** How many are sent at the same time. */
const atOnce = 8

/** Returns where the sandbox's webhooks go, or undefined if it has no shop that it could send them to. */
export const readWebhookOptions = (config: Config): WebhookOptions | undefined =>
  config.get('FUNCTION_URL') === undefined
    ? undefined
    : {
        url: `${config.functionUrl('receive-payment-webhook')}/api/v1/payments/webhooks`,
        keys: readKeys(config, 'PAYMENT_WEBHOOK_KEYS'),
      }

const types: Record<Deed, string> = {
  authorize: 'payment.authorized',
  capture: 'payment.captured',
  void: 'payment.voided',
  refund: 'payment.refunded',
}

/** The id of an entry's webhook, which stays the same when it is sent again. */
const idOf = ({ seq, payment }: Entry) => `evt_${payment.id}_${seq}`

/** Returns the body of an entry's webhook. */
export const webhookOf = (entry: Entry) =>
  JSON.stringify({
    type: entry.outcome === 'declined' ? 'payment.declined' : types[entry.operation],
    timestamp: entry.at,
    data: { payment: toAnswer(entry.payment), amount: entry.amount, idempotencyKey: entry.key },
  })

/**
 * Sends the webhooks of new entries, and of those in the journal that were not taken.
 * @param journal the path of the file that records which were taken
 * @param onBroken called if that file cannot be written
 */
export async function openWebhooks(
  { url, keys, pausesMs = usualPausesMs }: WebhookOptions,
  {
    journal: path,
    entries,
    onBroken,
  }: {
    journal: string
    entries: readonly Entry[]
    onBroken?: ((error: unknown) => void) | undefined
  },
) {
  // written only by this sandbox, so not validated
  const { entries: taken, journal } = await openJournal(
    path,
    (line) => JSON.parse(line) as { id: string },
    onBroken,
  )
  const sign = createSigner(keys)
  const limit = pLimit(atOnce)
  const stopping = new AbortController()
  const sending = new Set<Promise<void>>()

  async function attempt(entry: Entry): Promise<boolean> {
    if (stopping.signal.aborted) return false
    const body = webhookOf(entry)
    const headers = { 'content-type': 'application/json', ...sign(idOf(entry), body) }
    return post(url, { headers, body, timeoutMs }).then(
      ({ status }) => status >= 200 && status < 300,
      () => false,
    )
  }

  async function untilTaken(entry: Entry) {
    for (const ms of pausesMs) {
      await delay(ms, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted || Date.now() - Date.parse(entry.at) > lifetimeMs) return
      if (await limit(() => attempt(entry))) return journal.append({ id: idOf(entry) }).catch(() => {})
    }
  }

  function send(entry: Entry) {
    // nothing has changed
    if (entry.outcome === 'refused') return
    const one = untilTaken(entry).finally(() => sending.delete(one))
    sending.add(one)
  }

  const known = new Set(taken.map(({ id }) => id))
  for (const entry of entries) if (!known.has(idOf(entry))) send(entry)

  return {
    send,
    close: async () => {
      stopping.abort()
      await Promise.all(sending)
      await journal.close()
    },
  }
}
