/** Loads functions from their source, by the table, for tests and tools. A bundle has entries instead. */
import { loadOperation, loadReaction, type Entry } from './shared/process/entry.ts'
import type { Config } from './shared/process/config.ts'
import type { Registry } from './shared/registry.ts'
import type { Service } from './shared/process/service.ts'
import type { Logger } from 'pino'
import {
  domainNames,
  eventDomainsOf,
  functions,
  functionsOf,
  rowOf,
  type Domain,
  type FunctionName,
  type OperationName,
  type ReactionName,
} from './table.ts'

/** Returns the entry of a function. */
export const entryOf = (name: FunctionName): Entry => {
  const row = rowOf(name)
  return {
    row,
    open: () => import(`./${row.domain}/open.ts`),
    load: () => import(`./${row.domain}/${name}.ts`),
    events: eventDomainsOf(name).map((domain) => () => import(`./${domain}/events.ts`)),
  }
}

/** Every name that `entriesOf` accepts. */
export const names: readonly string[] = [...Object.keys(functions), ...domainNames]

/** Returns the entries of a function or of all functions of a domain, or undefined if the name is unknown. */
export function entriesOf(name: string): Entry[] | undefined {
  if (Object.hasOwn(functions, name)) return [entryOf(name as FunctionName)]
  if (domainNames.includes(name as Domain)) return functionsOf(name as Domain).map(entryOf)
  return undefined
}

/** Loads an operation with its row. */
export const operationOf = (name: OperationName) => loadOperation(entryOf(name))
export const reactionOf = (name: ReactionName) => loadReaction(entryOf(name))

/** Opens the dependencies of a domain's functions. */
export async function openDomain<D extends Domain>(
  domain: D,
  config: Config,
  log: Logger,
  name: string,
): Promise<Service & { deps: Registry['deps'][D] }> {
  const { open } = await import(`./${domain}/open.ts`)
  return open(config, log, name)
}
