/** `npm run check-books`: looks for what must never be, as its container does. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../functions/shared/process/run.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { chooseDataDir } from '../stores/data-folder.js'
import { readArguments } from './arguments.ts'

const usage = `npm run check-books
Looks for what must never be: stock below zero, more captured than authorised, money kept for a cancelled order. Ends
with 1 if there is some. It reads the shop that runs here, or the database that MONITORING_DATABASE_URL names.`

await run(async () => {
  readArguments(usage, {})
  const { env } = process
  if (![env['MONITORING_DATABASE_URL'], env['MONITORING_DATABASE_URL_FILE']].some(Boolean))
    env['MONITORING_DATABASE_URL'] = runningUrl()
  env['FUNCTION'] = 'check-books'
  await import('../../functions/main.ts')
})

/** The address that the running shop has left in its data folder. */
function runningUrl(): string {
  const { dataDir } = chooseDataDir(process.env)
  try {
    return (JSON.parse(readFileSync(join(dataDir, 'running.json'), 'utf8')) as { monitoring: string })
      .monitoring
  } catch {
    throw new UserError(
      'No shop runs here. Start it with npm start, or set MONITORING_DATABASE_URL to the database, with the role monitoring.',
    )
  }
}
