import type { Logger } from 'pino'
import type { Config } from '../shared/process/config.ts'
import { openDatabase, openEndedSessions } from '../shared/store/open-database.ts'
import migrations from './migrations/meta/_journal.json' with { type: 'json' }
import type { OpenedProvider } from './provider.ts'

type Load = () => Promise<{ openProvider: (config: Config) => OpenedProvider }>

/** The payment providers, by the values of PAYMENT_PROVIDER. */
const providers = new Map<string, Load>([
  ['sandbox', () => import('./http-provider.ts')],
  ['stripe', () => import('./stripe/stripe-provider.ts')],
])

/** Opens the dependencies of the payments functions. */
export async function open(config: Config, log: Logger, name: string) {
  const load = providers.get(config.get('PAYMENT_PROVIDER') ?? 'sandbox')
  if (load === undefined) throw config.unusable('PAYMENT_PROVIDER')
  const [{ openProvider }, { db, ...service }] = await Promise.all([
    load(),
    openDatabase(config, { name, domain: 'payments', migrations }),
  ])
  const isSessionEnded = await openEndedSessions(db, () => import('./payment.ts'))
  const { provider, webhooks } = openProvider(config)
  return { ...service, deps: { log, db, isSessionEnded, provider, webhooks } }
}
