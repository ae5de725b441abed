import { listens } from './deployment.ts'
import { domainNames, functionsOf } from './table.ts'

/** The domains with functions that watch for changes (LISTEN), and so are told of each commit. */
export const watched: readonly string[] = domainNames.filter((domain) => functionsOf(domain).some(listens))
