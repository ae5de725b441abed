/** `npm run migrate`: the migration job, as its container runs it. */
import { run } from '../../functions/shared/process/run.ts'
import { readArguments } from './arguments.ts'

const usage = `npm run migrate
Brings the stores that ADMIN_DATABASE_URL and the other settings name up to this version. The first of them that is
missing is reported; with DEMO_PASSWORD, an empty shop is filled.`

await run(async () => {
  readArguments(usage, {})
  process.env['FUNCTION'] = 'migrate'
  await import('../../functions/main.ts')
})
