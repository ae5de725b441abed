import { hkdfSync } from 'node:crypto'
import type { EndpointRow } from './webhook.ts'

/**
 * The secrets that sign deliveries to sellers' systems. They are derived from one key of the shop, so no table contains
 * them: neither that of endpoints nor that of kept answers. A new secret is that of the next generation. The ones before
 * sign, too, for a day, so that a seller can replace a secret without losing a delivery.
 */
export interface WebhookSecrets {
  of(endpointId: string, generation: number): string
  /** Returns the secrets that sign now, the newest first. */
  signing(
    endpoint: Pick<EndpointRow, 'id' | 'generation' | 'oldGeneration' | 'oldUntil'>,
    now: Date,
  ): string[]
}

/** How long the secret before signs, too, in ms. */
export const oldSecretMs = 24 * 60 * 60 * 1000

/** The most secrets that sign at a time. */
const most = 5

export function openWebhookSecrets(key: string): WebhookSecrets {
  const of = (endpointId: string, generation: number) => {
    const bytes = hkdfSync('sha256', key, '', `webhook secret ${endpointId} ${generation}`, 32)
    return `whsec_${Buffer.from(bytes).toString('base64')}`
  }
  return {
    of,
    signing({ id, generation, oldGeneration, oldUntil }, now) {
      const oldest =
        oldUntil !== null && oldUntil > now ? Math.max(oldGeneration, generation - most + 1) : generation
      return Array.from({ length: generation - oldest + 1 }, (_, i) => of(id, generation - i))
    },
  }
}

/** Returns what changes of an endpoint that gets a new secret. Until the secrets before have ended, the oldest is kept. */
export const rotated = (
  { generation, oldGeneration, oldUntil }: Pick<EndpointRow, 'generation' | 'oldGeneration' | 'oldUntil'>,
  now: Date,
) => ({
  generation: generation + 1,
  oldGeneration: oldUntil !== null && oldUntil > now ? oldGeneration : generation,
  oldUntil: new Date(now.getTime() + oldSecretMs),
})
