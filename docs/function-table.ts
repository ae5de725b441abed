import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { OperationRow } from '../functions/shared/domain.ts'
import {
  domainNames,
  domains,
  functions,
  functionsOf,
  operations,
  reactions,
  type Domain,
} from '../functions/table.ts'

/** Returns the README's table of domains. */
export const domainTable = (): string =>
  table(
    ['domain', 'what it is about', 'operations', 'reactions', 'store'],
    domainNames.map((name) => [
      `[\`${name}\`](functions/${name}/domain.ts)`,
      domains[name].summary + moreOf(name),
      namesOf(name, 'operation'),
      namesOf(name, 'reaction'),
      domains[name].store === 'mongodb' ? 'MongoDB' : 'PostgreSQL',
    ]),
  )

/** Returns a link to what a domain does and refuses, if that is written. */
const moreOf = (domain: Domain) =>
  existsSync(join(import.meta.dirname, `domains/${domain}.md`)) ? ` ([more](docs/domains/${domain}.md))` : ''

const namesOf = (domain: Domain, kind: 'operation' | 'reaction') =>
  functionsOf(domain)
    .filter((name) => ('on' in functions[name] ? 'reaction' : 'operation') === kind)
    .map((name) => `\`${name}\``)
    .join(' ') || '–'

/** Returns docs/functions.md: every function, how it is called and how it scales. */
export const functionPage =
  (): string => `<!-- Made from the domains' declarations by npm run generate (docs/function-table.ts). -->

# Functions

Each function has a file, \`functions/<domain>/<function>.ts\`, and a row in its domain's \`domain.ts\`. The [API](openapi.json) describes its requests and responses. [events.md](events.md) shows which functions emit and handle each event.

## Operations

${table(
  ['function', 'call', 'who may call', 'domain', 'instances', 'requests a minute'],
  Object.entries(operations).map(([name, row]) => [
    `\`${name}\``,
    `\`${row.method.toUpperCase()} ${row.path}\``,
    whoOf(row),
    row.domain,
    instances(row),
    limitOf(row),
  ]),
)}

The last column is how many requests a user may make, and a network from which nobody is logged in ([security.md](security.md#limits)).

## Reactions

${table(
  ['reaction', 'runs on', 'what it does', 'domain', 'instances'],
  Object.entries(reactions).map(([name, row]) => [
    `\`${name}\``,
    row.on.map((type) => `\`${type}\``).join(' '),
    row.summary,
    row.domain,
    instances(row),
  ]),
)}
`

const instances = ({ scaling, maxScale }: Pick<OperationRow, 'scaling' | 'maxScale'>) =>
  scaling === 'cpu' ? `1–${maxScale}, on CPU` : `${scaling === 'warm' ? 1 : 0}–${maxScale}`

const limitOf = ({ by, limits: { user, network, seconds } }: OperationRow) => {
  const numbers = by !== 'anyone' || user === network ? [user] : [user, network]
  return numbers.map((requests) => Math.round((requests * 60) / seconds).toLocaleString('en')).join(', ')
}

const whoOf = ({ by }: OperationRow) =>
  by === 'user' ? 'logged in' : by === 'anyone' ? 'anyone' : by.join(', ')

export const table = (head: string[], rows: string[][]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
