/** `npm run admin`: makes an admin, as the container of the migration does with FUNCTION=admin. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../functions/shared/process/run.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { chooseDataDir } from '../stores/data-folder.js'
import { readArguments } from './arguments.ts'

const usage = `npm run admin -- EMAIL [--name NAME | --promote]
Creates an admin, and asks for the password, or reads it from standard input. With --promote, it makes an admin of the
user who has this e-mail address already. It changes the shop that runs here, or the database that USERS_DATABASE_URL or DATABASE_URL names.`

await run(async () => {
  const { positionals, values } = readArguments(usage, {
    allowPositionals: true,
    options: { name: { type: 'string' }, promote: { type: 'boolean' } },
  })
  const [email, ...rest] = positionals
  if (email === undefined || rest.length > 0) throw new UserError(usage)
  const { env } = process
  if (![env['USERS_DATABASE_URL'], env['USERS_DATABASE_URL_FILE'], env['DATABASE_URL']].some(Boolean))
    env['USERS_DATABASE_URL'] = runningUrl()
  Object.assign(
    env,
    { FUNCTION: 'admin', ADMIN_EMAIL: email },
    values.name && { ADMIN_NAME: values.name },
    values.promote && { ADMIN_PROMOTE: 'yes' },
  )
  await import('../../functions/main.ts')
})

/** The address that the running shop has left in its data folder. */
function runningUrl(): string {
  const { dataDir } = chooseDataDir(process.env)
  try {
    return (JSON.parse(readFileSync(join(dataDir, 'running.json'), 'utf8')) as { users: string }).users
  } catch {
    throw new UserError(
      'No shop runs here. Start it with npm start, or set USERS_DATABASE_URL to the database, with the role users.',
    )
  }
}
