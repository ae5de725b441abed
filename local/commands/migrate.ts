/** `npm run migrate`: runs the migration job, as its container does. */
import { run } from '../../functions/shared/process/run.ts'
import { readArguments } from './arguments.ts'

const usage = `npm run migrate
Migrates the stores that ADMIN_DATABASE_URL and the other settings name to this version. Reports the first setting that
is missing. With DEMO_PASSWORD, also fills an empty shop with demo data.`

await run(async () => {
  readArguments(usage, {})
  process.env['FUNCTION'] = 'migrate'
  await import('../../functions/main.ts')
})
