import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { refuseBroken } from '../shared/http/validate.ts'
import { hear } from './hear.ts'
import { problems } from './problems.ts'
import type { ProviderWebhooks } from './provider.ts'

/**
 * Hears from the payment provider that a payment has changed there. Its signature is the proof of who sends it, and
 * is checked on the bytes that were received, before anything reads them. A webhook about a payment that the shop does
 * not have is answered like any other: it would be of another shop with the same provider, and must not be sent again.
 */
export const receivePaymentWebhook = operation(
  'receive-payment-webhook',
  {
    // the body is the provider's; it may have more fields tomorrow
    request: {},
    responses: { 204: null },
    problems: [problems['webhook-not-signed'], problems['webhook-unreadable']],
  },
  async ({ hono, empty }, { db, log, webhooks }) => {
    const body = Buffer.from(await hono.req.arrayBuffer().catch(refuseBroken))
    const why = webhooks.verify(hono.req.header(), body)
    if (why !== undefined)
      throw new Problem(problems['webhook-not-signed'], {
        detail: `${why}. A webhook is accepted if the payment provider has signed it in the last five minutes.`,
        // RFC 9110, 15.5.2 requires a challenge
        headers: { 'www-authenticate': 'Standard-Webhooks' },
      })
    const news = read(webhooks, body.toString())
    if (news !== undefined) await hear(db, log, news)
    return empty()
  },
)

function read(webhooks: ProviderWebhooks, body: string) {
  try {
    return webhooks.read(body)
  } catch (cause) {
    throw new Problem(problems['webhook-unreadable'], {
      detail: 'It is signed, but it is not an event of the payment provider’s API.',
      cause,
    })
  }
}
