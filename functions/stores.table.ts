import { domainNames, domains } from './table.ts'

/** What the migration and the relay need to know of each domain: its store, and the events that are its own. */
export const stores = domainNames.map((domain) => ({
  domain: domain as string,
  store: domains[domain].store,
  outboxes: domains[domain].outboxes ?? [],
  /** The types of its events. */
  events: Object.keys(domains[domain].events),
  reactions: Object.keys(domains[domain].reactions),
  appendOnly: domains[domain].appendOnly ?? [],
}))
