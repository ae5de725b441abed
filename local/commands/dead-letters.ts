/** `npm run dead-letters`: lists, replays and drops events that a reaction could not handle. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { dropDeadLetters, listDeadLetters, replayDeadLetters, type Which } from '../../events/dead-letters.ts'
import { run } from '../../functions/shared/process/run.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { readArguments } from './arguments.ts'
import { openPostgres } from '../../functions/shared/store/postgres.ts'
import { errorCode } from '../../functions/shared/store/store-errors.ts'
import { chooseDataDir } from '../stores/data-folder.js'

const usage = `npm run dead-letters                       lists dead letters
npm run dead-letters -- replay EVENT        delivers one again (or --reaction NAME, --all)
npm run dead-letters -- drop EVENT          drops one (or --reaction NAME, --all)
Uses the shop that is running here, or the database at EVENTS_DATABASE_URL (with the role events).`

await run(main)

async function main(): Promise<void> {
  const { positionals, values } = readArguments(usage, {
    allowPositionals: true,
    options: {
      reaction: { type: 'string' },
      all: { type: 'boolean' },
    },
  })
  const [verb = 'list', eventId, ...rest] = positionals
  if (
    !['list', 'replay', 'drop'].includes(verb) ||
    rest.length > 0 ||
    (verb === 'list' && eventId !== undefined)
  )
    throw new UserError(usage)
  const url = process.env['EVENTS_DATABASE_URL'] ?? runningUrl()
  if (url === undefined)
    throw new UserError('No shop is running here. Start it with npm start, or set EVENTS_DATABASE_URL.')
  if (eventId !== undefined && !z.uuid().safeParse(eventId).success)
    throw new UserError(`${eventId} is not the id of an event.\n${usage}`)
  const which: Which = {
    ...(eventId === undefined ? {} : { eventId }),
    ...(values.reaction === undefined ? {} : { reaction: values.reaction }),
  }
  if (verb !== 'list' && Object.keys(which).length === 0 && !values.all)
    throw new UserError(`Choose which: give the id of an event, --reaction NAME, or --all.`)
  const db = openPostgres(url, { name: 'dead-letters', max: 1 })
  try {
    if (verb === 'list') await list()
    else if (verb === 'replay') console.log(`${await replayDeadLetters(db, which)} will be delivered again`)
    else console.log(`${await dropDeadLetters(db, which)} dropped`)
  } catch (error) {
    throw new UserError(
      `Cannot read the dead letters (${errorCode(error) ?? String(error)}). Is the shop running?`,
    )
  } finally {
    await db.client.end()
  }

  async function list() {
    const letters = await listDeadLetters(db)
    for (const { at, reaction, eventId, attempts, error, event } of letters) {
      const { type, subject } = event as { type: string; subject: string }
      console.log(
        `${eventId}  ${at.toISOString()}  ${reaction}  ${type}  ${subject}\n  after ${attempts} attempts: ${error}`,
      )
    }
    console.log(letters.length === 0 ? 'no dead letters' : `${letters.length} dead letters`)
  }
}

/** Returns the URL that the running shop has written to its data folder. */
function runningUrl(): string | undefined {
  const { dataDir } = chooseDataDir(process.env)
  try {
    return (JSON.parse(readFileSync(join(dataDir, 'running.json'), 'utf8')) as { events: string }).events
  } catch {
    return undefined
  }
}
