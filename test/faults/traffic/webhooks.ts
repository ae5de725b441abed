import { createSigner, newKey } from '../../../events/signature.ts'
import type { Entry } from '../../../functions/payments/sandbox/sandbox.ts'
import { webhookOf } from '../../../functions/payments/sandbox/webhooks.ts'
import type { Scene } from './scene.ts'

/** Sends webhooks again that the payment provider has sent, however old what they tell is, and forges some. */
export function createWebhooks({ shop, random, insist, promised }: Scene) {
  const { url, provider } = shop

  /** Returns what the provider has done. While it is down, which no shop can help, there is nothing to send again. */
  async function entries(): Promise<Entry[]> {
    const text = await fetch(`${provider.url}/v1/journal`, {
      headers: { authorization: `Bearer ${provider.key}` },
      signal: AbortSignal.timeout(30_000),
    })
      .then((response) => (response.ok ? response.text() : ''))
      .catch(() => '')
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
    const { response } = await insist('a webhook', async () => {
      const response = await fetch(`${url}/api/v1/payments/webhooks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...sign('evt_replayed', body) },
        body,
        signal: AbortSignal.timeout(30_000),
      })
      await response.arrayBuffer()
      return { response }
    })
    promised.webhooks.push({ isForged, status: response.status })
  }

  return { replay }
}
