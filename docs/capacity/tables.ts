import { is } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { schemas } from '../migrations.ts'

/** Columns by whose value a table could be split, the best first: what an order writes should stay together. */
const candidates = ['order_id', 'subject', 'event_id', 'sku', 'id', 'key', 'user_id'] as const

export interface Key {
  column: string
  /** Whether every unique index contains it, as PostgreSQL requires of a partitioned table. */
  isInEveryKey: boolean
}

/** Returns by which column each table in PostgreSQL could be sharded or partitioned, by `schema.table`. */
export async function shardKeys(): Promise<Map<string, Key>> {
  const found = new Map<string, Key>()
  for (const { folder, tables } of schemas)
    for (const file of tables) {
      const module = (await import(`../../${folder}/${file}`)) as Record<string, unknown>
      for (const table of Object.values(module).filter((value) => is(value, PgTable))) {
        const { schema, name, columns, primaryKeys, uniqueConstraints, indexes } = getTableConfig(table)
        const column = candidates.find((candidate) => columns.some(({ name }) => name === candidate))
        if (column === undefined) continue
        const keys = [
          ...columns.filter(({ primary, isUnique }) => primary || isUnique).map(({ name }) => [name]),
          ...[...primaryKeys, ...uniqueConstraints].map((key) => key.columns.map(({ name }) => name)),
          ...indexes
            .filter(({ config }) => config.unique)
            .map(({ config }) => config.columns.map((part) => ('name' in part ? part.name : ''))),
        ]
        found.set(`${schema}.${name}`, { column, isInEveryKey: keys.every((key) => key.includes(column)) })
      }
    }
  return found
}
