import { operations, reactions } from '../functions/table.ts'
import type { OperationRow } from '../functions/shared/domain.ts'

/** The README's map of the functions, as Markdown tables. */
export function functionTables(): string {
  return [
    table(
      ['function', 'call', 'who', 'store'],
      Object.entries(operations).map(([name, row]) => [
        `\`${name}\``,
        `\`${row.method.toUpperCase()} ${row.path}\``,
        whoOf(row),
        row.domain,
      ]),
    ),
    table(
      ['reaction', 'runs on', 'what it does', 'store'],
      Object.entries(reactions).map(([name, row]) => [
        `\`${name}\``,
        row.on.map((type) => `\`${type}\``).join(' '),
        row.summary,
        row.domain,
      ]),
    ),
  ].join('\n\n')
}

const whoOf = ({ by }: OperationRow) =>
  by === 'user' ? 'logged in' : by === 'anyone' ? 'anyone' : by.join(', ')

const table = (head: string[], rows: string[][]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
