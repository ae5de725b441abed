import type { Logger } from 'pino'
import type { Config } from '../shared/process/config.ts'
import { openDatabase, openEndedSessions } from '../shared/store/open-database.ts'
import migrations from './migrations/meta/_journal.json' with { type: 'json' }

/** Opens the dependencies of the returns functions. */
export async function open(config: Config, log: Logger, name: string) {
  const { db, ...service } = await openDatabase(config, { name, domain: 'returns', migrations })
  const days = config.number('RETURN_DAYS', 30)
  const isSessionEnded = await openEndedSessions(db, () => import('./return.ts'))
  return { ...service, deps: { log, db, isSessionEnded, days } }
}
