import * as z from 'zod'
import { operations, type InDomain, type OperationName } from '../../functions/table.ts'
import type { OperationRow } from '../../functions/shared/domain.ts'
import type { Contract } from '../../functions/shared/http/operation.ts'
import { operationOf } from '../../functions/source.ts'

/** Every operation with its row and its contract. */

export type Row = InDomain<OperationRow>

export const rows = Object.entries(operations) as [OperationName, Row][]

const contracts = new Map(
  await Promise.all(rows.map(async ([name]) => [name, (await operationOf(name)).run.contract] as const)),
)

export const contractOf = (name: OperationName): Contract => contracts.get(name)!

/** Returns the operations for which a condition holds. */
export const those = (holds: (row: Row, contract: Contract) => unknown) =>
  rows.filter(([name, row]) => holds(row, contractOf(name)))

export const takesBody = (_: Row, { request }: Contract) => request.body !== undefined

/** Whether an operation's path has parameters. */
export const namesResource = ({ path }: Row) => path.includes('{')

/** Whether an operation returns a list in pages. */
export const isList = (_: Row, { request: { query } }: Contract) =>
  query instanceof z.ZodObject && 'cursor' in query.shape

/** The names of a path's parameters. */
export const parametersOf = (path: string) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)

/** The path up to its last parameter, which names a resource. */
export const resourcePathOf = (path: string) => /^.*\}/.exec(path)?.[0]
