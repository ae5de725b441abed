import { Writable } from 'node:stream'
import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'
import type { Logger } from 'pino'
import * as z from 'zod'
import { at } from '../shared/process/role-url.ts'
import type { Config } from '../shared/process/config.ts'
import { UserError } from '../shared/process/user-error.ts'
import { Problem } from '../shared/http/problems.ts'
import { logWithoutRequest } from '../shared/http/security-log.ts'
import { withCause } from '../shared/store/cause.ts'
import { openPostgres } from '../shared/store/postgres.ts'
import { waitForSchema } from '../shared/store/schema-version.ts'
import { storeWaitMs } from '../shared/store/wait-for-store.ts'
import { Email } from '../shared/schemas/email.ts'
import { events } from './events.ts'
import { createAdmin, promote } from './admins.ts'
import { findUserByEmail } from './find-user.ts'
import { refuseWeakPassword } from './password-rules.ts'
import { NewUser, type UserRow } from './user.ts'
import migrations from './migrations/meta/_journal.json' with { type: 'json' }

/**
 * Creates an admin with the e-mail address ADMIN_EMAIL, whose password it asks for, or reads from standard input. There
 * is no default password. An existing user becomes an admin only if ADMIN_PROMOTE is set: nobody has checked that the
 * address is theirs, so it may be a stranger, who has registered it in advance.
 * @param askPassword returns the password of a new user
 * @returns what it did, for a person
 * @throws UserError if the settings or the password cannot be used
 */
export async function runAdmin(config: Config, log: Logger, askPassword = readPassword): Promise<string> {
  const given = Email.safeParse(config.need('ADMIN_EMAIL'))
  if (!given.success) throw new UserError('ADMIN_EMAIL is not an e-mail address.')
  const email = given.data
  const connection = openPostgres(usersUrl(config), { name: 'admin', setting: 'USERS_DATABASE_URL', max: 1 })
  try {
    await waitForSchema(connection.client, { domain: 'users', migrations, waitMs: storeWaitMs(config) })
    // promoting ends sessions, which is an event
    const db = withCause(connection, { domain: 'users', emits: events, actor: 'system' })
    const found = await findUserByEmail(db, email)
    if (found !== undefined) {
      if (found.role !== 'admin' && config.get('ADMIN_PROMOTE') === undefined) throw alreadyUser(found)
      const security = { user: found.id, from: found.role, to: 'admin' }
      if (await promote(db, found.id)) logWithoutRequest(log, 'role-changed', security)
      return `${email} is an admin now, with the same password as before.`
    }
    const name = config.get('ADMIN_NAME') ?? 'Admin'
    const user = await createAdmin(db, await checked({ email, name, password: await askPassword(email) }))
    logWithoutRequest(log, 'admin-created', { user })
    return `${email} is a new admin.`
  } finally {
    await connection.close()
  }
}

const alreadyUser = ({ email, name, createdAt }: UserRow) =>
  new UserError(
    `${email} is already a user: ${name}, since ${createdAt.toISOString().slice(0, 10)}. If you know that it is the right person, run this again with --promote (ADMIN_PROMOTE=yes); they keep their password.`,
  )

/** Returns the URL of the users' schema. The job's container reaches PostgreSQL itself, but no pooler. */
function usersUrl(config: Config): string {
  if (config.get('USERS_DATABASE_URL') === undefined) return config.need('DATABASE_URL')
  const url = config.need('USERS_DATABASE_URL')
  return config.get('ADMIN_DATABASE_URL') === undefined ? url : at(config.need('ADMIN_DATABASE_URL'), url)
}

/** @throws UserError if it is not a valid user, or the password is weak */
async function checked(user: z.input<typeof NewUser>): Promise<NewUser> {
  const { success, data, error } = NewUser.safeParse(user)
  if (!success) throw new UserError(`The user cannot be created: ${z.prettifyError(error)}`)
  await refuseWeakPassword(data.password, data).catch((problem: unknown) => {
    if (!(problem instanceof Problem)) throw problem
    throw new UserError(`The password ${problem.extra.errors?.[0]?.detail}.`)
  })
  return data
}

async function readPassword(email: string): Promise<string> {
  if (!process.stdin.isTTY) {
    const [line = ''] = (await text(process.stdin)).split(/\r?\n/)
    if (line !== '') return line
    throw new UserError(
      `There is no user ${email}. To create one, send the password on standard input, or run this in a terminal.`,
    )
  }
  const password = await askHidden(`There is no user ${email} yet. A password for a new one: `)
  if (password !== (await askHidden('The same again: '))) throw new UserError('The two passwords differ.')
  return password
}

/** Asks for a line on the terminal and does not show it. */
async function askHidden(question: string): Promise<string> {
  process.stdout.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  // Ctrl-C and Ctrl-D close it without an answer
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')))
  const answer = await Promise.race([terminal.question('').catch(() => ''), closed])
  terminal.close()
  process.stdout.write('\n')
  if (answer === '') throw new UserError('No password was given: nothing was changed.')
  return answer
}
