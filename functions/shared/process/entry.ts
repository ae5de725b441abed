import type { Logger } from 'pino'
import type { Reaction } from '../../../events/reaction.ts'
import type { EventSpecs } from '../../../events/event.ts'
import type { OperationRow, ReactionRow } from '../domain.ts'
import type { Operation } from '../http/operation.ts'
import type { Config } from './config.ts'
import type { Service } from './service.ts'

/** The declaration of a function, and what its process needs of the domain's declaration. */
export type Row<R extends OperationRow | ReactionRow = OperationRow | ReactionRow> = R & {
  name: string
  domain: string
  /** The settings of its domain, with their descriptions. */
  settings: Readonly<Record<string, string>>
}

export interface Opened extends Service {
  deps: object
}

/**
 * How a process loads one function. An image contains only the entry of its own function (images/bundle.ts).
 */
export interface Entry {
  row: Row
  /** Imports the domain's open.ts. */
  open: () => Promise<{ open: (config: Config, log: Logger, name: string) => Promise<Opened> }>
  /** Imports the function's file. */
  load: () => Promise<object>
  /** Each imports the events.ts of a domain whose events the function emits or runs on. */
  events: readonly (() => Promise<{ events: EventSpecs }>)[]
}

/** An operation or a reaction, ready to run. */
export interface Loaded<F, R extends OperationRow | ReactionRow> {
  row: Row<R>
  run: F
  /** The event types that it may emit. */
  emits: EventSpecs
  /** The event types that it runs on. */
  takes: EventSpecs
}
export type LoadedOperation = Loaded<Operation, OperationRow>
export type LoadedReaction = Loaded<Reaction, ReactionRow>

export const isOperation = (row: Row): row is Row<OperationRow> => 'method' in row

export const loadOperation = (entry: Entry) => load(entry) as Promise<LoadedOperation>
export const loadReaction = (entry: Entry) => load(entry) as Promise<LoadedReaction>

async function load({ row, load, events }: Entry): Promise<Loaded<unknown, OperationRow | ReactionRow>> {
  const [module, ...known] = await Promise.all([load(), ...events.map((each) => each())])
  const run = Object.values(module).find(
    (value) => typeof value === 'object' && value !== null && 'name' in value && value.name === row.name,
  )
  if (run === undefined) throw new Error(`functions/${row.domain}/${row.name}.ts exports no ${row.name}`)
  const specs: EventSpecs = Object.assign({}, ...known.map(({ events }) => events))
  const pick = (types: readonly string[]) =>
    Object.fromEntries(
      types.map((type) => {
        const spec = specs[type]
        if (spec === undefined) throw new Error(`${row.name}: there is no event ${type}`)
        return [type, spec]
      }),
    )
  return { row, run, emits: pick(row.emits), takes: pick('on' in row ? row.on : []) }
}
