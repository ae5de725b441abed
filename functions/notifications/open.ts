import type { Logger } from 'pino'
import type { Config } from '../shared/process/config.ts'
import { openDatabase, openEndedSessions } from '../shared/store/open-database.ts'
import { openUnsubscribing } from './unsubscribing.ts'
import { openWebhookSecrets } from './webhook-secrets.ts'
import migrations from './migrations/meta/_journal.json' with { type: 'json' }

/** Opens the dependencies of the notifications functions. */
export async function open(config: Config, log: Logger, name: string) {
  const { db, ...service } = await openDatabase(config, {
    name,
    domain: 'notifications',
    migrations,
    isWatched: true,
  })
  const isSessionEnded = await openEndedSessions(db, () => import('./notification.ts'))
  const closing: (() => void)[] = []
  const mail = {
    onClose: (close: () => void) => void closing.push(close),
    url: config.need('SMTP_URL'),
    password: config.need('SMTP_PASSWORD'),
    from: config.get('MAIL_FROM') ?? 'Zeroshop <no-reply@zeroshop.dev>',
    shopUrl: (config.get('SHOP_URL') ?? 'http://localhost:8080').replace(/\/$/, ''),
  }
  const unsubscribing = openUnsubscribing(config.need('UNSUBSCRIBE_KEY'))
  const close = async () => {
    for (const each of closing) each()
    await service.close()
  }
  const webhooks = {
    secrets: openWebhookSecrets(config.need('WEBHOOK_SECRET_KEY')),
    allowsLoopback: config.get('WEBHOOKS_TO_LOOPBACK') === '1',
    /** How many deliveries to an endpoint this process has under way. */
    sending: new Map<string, number>(),
  }
  return { ...service, close, deps: { log, db, isSessionEnded, mail, unsubscribing, webhooks } }
}
