/**
 * The table of all functions and events, gathered from the domains. Routes, gateways, manifests and documents
 * are made from it. It loads no function. A container holds only its own row (images/bundle.ts).
 */
import * as all from './functions.ts'
import type { Domain as Declaration, OperationRow, ReactionRow } from './shared/domain.ts'

type Domains = typeof all
export type Domain = keyof Domains

/** The names that the domains declare under `operations`, `reactions` or `events`. */
type KeyOf<K extends 'operations' | 'reactions' | 'events'> = {
  [D in Domain]: keyof Domains[D][K] & string
}[Domain]

export type OperationName = KeyOf<'operations'>
export type ReactionName = KeyOf<'reactions'>
export type FunctionName = OperationName | ReactionName

/** The domain that declares a name. */
type Owner<K extends 'operations' | 'reactions' | 'events', N extends string> = {
  [D in Domain]: N extends keyof Domains[D][K] ? D : never
}[Domain]

type Gathered<K extends 'operations' | 'reactions' | 'events'> = {
  [N in KeyOf<K>]: Domains[Owner<K, N>][K][N & keyof Domains[Owner<K, N>][K]] & { domain: Owner<K, N> }
}

declare module './shared/registry.ts' {
  interface Registry {
    operations: Gathered<'operations'>
    reactions: Gathered<'reactions'>
    events: Gathered<'events'>
    deps: { [D in Domain]: NonNullable<Domains[D]['deps']> }
  }
}

export type InDomain<R> = R & { domain: Domain }

/** Every domain's declaration, by its name. */
export const domains: Readonly<Record<Domain, Declaration>> = all

export const domainNames = Object.keys(domains) as Domain[]

export const operations = gather('operations') as Gathered<'operations'>
export const reactions = gather('reactions') as Gathered<'reactions'>

/** Every function by name. */
export const functions: Record<FunctionName, InDomain<OperationRow> | InDomain<ReactionRow>> = {
  ...operations,
  ...reactions,
}

/** Every event type: its summary, the schema of its data, and the domain that emits it. */
export const events = gather('events') as Gathered<'events'>

/** Returns the reactions to an event type. */
export const reactionsOn = (type: string): ReactionName[] =>
  (Object.keys(reactions) as ReactionName[]).filter((name) =>
    (reactions[name].on as readonly string[]).includes(type),
  )

/** The domains that have reactions. */
export const reactingDomains = domainNames.filter((name) => Object.keys(domains[name].reactions).length > 0)

/** Returns the functions of a domain, operations first. */
export const functionsOf = (domain: Domain): FunctionName[] =>
  (Object.keys(functions) as FunctionName[]).filter((name) => functions[name].domain === domain)

/** Returns the domains that use a store. */
export const domainsIn = (store: Declaration['store']): Domain[] =>
  domainNames.filter((name) => domains[name].store === store)

/** The roles that log in to PostgreSQL, each named after its schema. Relay and dispatcher use `events`. */
export type DatabaseRole = Domain | 'events'
export const databaseRoles: readonly DatabaseRole[] = [...domainsIn('postgres'), 'events']

/** Returns the folder with a role's tables and migrations, relative to the root of the project. */
export const folderOf = (role: DatabaseRole) => (role === 'events' ? role : `functions/${role}`)

/** Returns a function's row with its name and the descriptions of its domain's settings, as plain data. */
export function rowOf(name: FunctionName) {
  const row = functions[name]
  const settings = Object.entries(domains[row.domain].settings ?? {})
  return {
    ...row,
    name: name as string,
    settings: Object.fromEntries(settings.map(([setting, { description }]) => [setting, description])),
  }
}

/** Returns the domains whose events a function emits or reacts to. */
export function eventDomainsOf(name: FunctionName): Domain[] {
  const row = functions[name]
  const types = [...row.emits, ...('on' in row ? row.on : [])]
  const all: Record<string, { domain: Domain }> = events
  return [...new Set(types.map((type) => all[type]!.domain))].toSorted()
}

/** @throws if two domains declare the same name */
function gather(kind: 'operations' | 'reactions' | 'events'): Record<string, object> {
  const found: Record<string, object> = {}
  for (const domain of domainNames)
    for (const [name, value] of Object.entries(domains[domain][kind])) {
      if (name in found) throw new Error(`${kind}: two domains declare ${name}`)
      found[name] = { ...value, domain }
    }
  return found
}
