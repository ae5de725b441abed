/** `npm run dead-letters`: lists, replays and drops the events that a reaction could not take. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { dropDeadLetters, listDeadLetters, replayDeadLetters, type Which } from '../../events/dead-letters.ts'
import { openPostgres } from '../../functions/shared/store/postgres.ts'
import { errorCode } from '../../functions/shared/store/store-errors.ts'
import { dataDirOf } from '../stores/data-dir.ts'

const usage = `npm run dead-letters                       lists them
npm run dead-letters -- replay EVENT        delivers one again (or: --reaction NAME, --all)
npm run dead-letters -- drop EVENT          gives one up (or: --reaction NAME, --all)
It looks into the shop that runs here, or at EVENTS_DATABASE_URL (the role events).`

process.exitCode = await main()

async function main(): Promise<number> {
  const args = readArgs()
  if (typeof args === 'string') return fail(`${args.split('. ')[0]}.\n${usage}`)
  const { positionals, values } = args
  if (values.help) {
    console.log(usage)
    return 0
  }
  const [verb = 'list', eventId, ...rest] = positionals
  if (
    !['list', 'replay', 'drop'].includes(verb) ||
    rest.length > 0 ||
    (verb === 'list' && eventId !== undefined)
  )
    return fail(usage)
  const url = process.env['EVENTS_DATABASE_URL'] ?? runningUrl()
  if (url === undefined)
    return fail('No shop runs here. Start it with npm start, or set EVENTS_DATABASE_URL.')
  if (eventId !== undefined && !z.uuid().safeParse(eventId).success)
    return fail(`${eventId} is not the id of an event.\n${usage}`)
  const which: Which = {
    ...(eventId === undefined ? {} : { eventId }),
    ...(values.reaction === undefined ? {} : { reaction: values.reaction }),
  }
  if (verb !== 'list' && Object.keys(which).length === 0 && !values.all)
    return fail(`Say which: the id of an event, --reaction NAME, or --all.`)
  const db = openPostgres(url, { name: 'dead-letters', max: 1 })
  try {
    if (verb === 'list') await list()
    else if (verb === 'replay') console.log(`${await replayDeadLetters(db, which)} to be delivered again`)
    else console.log(`${await dropDeadLetters(db, which)} dropped`)
    return 0
  } catch (error) {
    return fail(`Cannot read the dead letters (${errorCode(error) ?? String(error)}). Is the shop running?`)
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

/** The arguments, or what is wrong with them. */
function readArgs() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        reaction: { type: 'string' },
        all: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The address that the running shop has left in its data folder. */
function runningUrl(): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(dataDirOf(), 'running.json'), 'utf8')) as { events: string }).events
  } catch {
    return undefined
  }
}

function fail(line: string): number {
  console.error(line)
  return 1
}
