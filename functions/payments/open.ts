import type { Logger } from 'pino'
import { readKeys } from '../../events/signature.ts'
import type { Config } from '../shared/process/config.ts'
import { openDatabase, openEndedSessions } from '../shared/store/open-database.ts'
import migrations from './migrations/meta/_journal.json' with { type: 'json' }

/** Opens the dependencies of the payments functions. */
export async function open(config: Config, log: Logger, name: string) {
  const [{ httpProvider, httpWebhooks }, { db, ...service }] = await Promise.all([
    import('./http-provider.ts'),
    openDatabase(config, { name, domain: 'payments', migrations }),
  ])
  const isSessionEnded = await openEndedSessions(db, () => import('./payment.ts'))
  const provider = httpProvider(config.need('PAYMENT_PROVIDER_URL'), config.need('PAYMENT_PROVIDER_KEY'))
  const webhooks = httpWebhooks(readKeys(config, 'PAYMENT_WEBHOOK_KEYS'))
  return { ...service, deps: { log, db, isSessionEnded, provider, webhooks } }
}
