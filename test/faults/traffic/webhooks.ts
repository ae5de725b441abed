import { createSigner, newKey } from '../../../events/signature.ts'
import type { Entry } from '../../../functions/payments/sandbox/sandbox.ts'
import { webhookOf } from '../../../functions/payments/sandbox/webhooks.ts'
import type { Scene } from './scene.ts'

/** Sends webhooks again that the payment provider has sent, however old what they tell is, and forges some. */
export function createWebhooks({ shop, random, insist, promised }: Scene) {
  const { url, provider } = shop

  const send = (what: string, to: string, init: () => RequestInit) =>
    insist(what, async () => {
      const response = await fetch(to, { ...init(), signal: AbortSignal.timeout(30_000) })
      return { response, text: await response.text() }
    })

  async function entries(): Promise<Entry[]> {
    const headers = { authorization: `Bearer ${provider.key}` }
    const { text } = await send('the journal', `${provider.url}/v1/journal`, () => ({ headers }))
    const lines = text.split('\n').filter((line) => line !== '')
    // written by the sandbox
    return lines.map((line) => JSON.parse(line) as Entry).filter(({ outcome }) => outcome !== 'refused')
  }

  async function replay() {
    const all = await entries()
    if (all.length === 0) return
    const body = webhookOf(random.pick(all))
    const isForged = random.next() < 0.2
    const sign = createSigner([isForged ? newKey() : provider.webhookKey])
    // each attempt is signed anew, because a fault may hold one up for longer than a signature is valid
    const { response } = await send('a webhook', `${url}/api/v1/payments/webhooks`, () => ({
      method: 'POST',
      headers: { 'content-type': 'application/json', ...sign('evt_replayed', body) },
      body,
    }))
    promised.webhooks.push({ isForged, status: response.status })
  }

  return { replay }
}
