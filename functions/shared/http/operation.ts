import type * as z from 'zod'
import type { Context } from 'hono'
import type { User } from '../auth/access-token.ts'
import type { IdempotencyKey } from '../store/idempotency.ts'
import type { Registry } from '../registry.ts'
import type { ProblemName, ProblemType } from './problems.ts'

type Operations = Registry['operations']
export type OperationName = keyof Operations

type Schema = z.ZodType

/** What an operation accepts and answers; its method, path and callers stand in the table. */
export interface Contract {
  request: { params?: Schema; query?: Schema; body?: Schema }
  /** The body of each status of success; `null` where there is none. */
  responses: Record<number, Schema | null>
  /** The problems of its own, beside those that the frame answers with. */
  problems?: readonly (ProblemName | ProblemType)[]
  /** Headers of its success. */
  headers?: readonly ('ETag' | 'Location' | 'Link')[]
  /** The cap of its body, in bytes; 100 KiB where nothing is said. */
  maxBody?: number
  /** Where it does not answer JSON. */
  contentType?: string
}

type Part<C extends Contract, K extends keyof Contract['request']> = C['request'][K] extends Schema
  ? z.output<C['request'][K]>
  : undefined

type Body<C extends Contract, S extends keyof C['responses']> = C['responses'][S] extends Schema
  ? z.input<C['responses'][S]>
  : never

type Caller<N extends OperationName> = Operations[N] extends { by: 'anyone' } ? User | undefined : User

type Key<N extends OperationName> = Operations[N] extends { idempotent: true } ? IdempotencyKey : undefined

/** One request to an operation: what came in, checked, and how to answer. */
export interface Call<N extends OperationName, C extends Contract> {
  params: Part<C, 'params'>
  query: Part<C, 'query'>
  body: Part<C, 'body'>
  user: Caller<N>
  /** The Idempotency-Key, where the table says that the operation needs one. */
  key: Key<N>
  traceparent: string | undefined
  /** Answers JSON: only a status and a body that the contract declares. */
  json: <S extends keyof C['responses'] & number>(
    body: Body<C, S>,
    status: S,
    headers?: Record<string, string>,
  ) => Response
  /** Answers 204. */
  empty: () => Response
  /** Hono's own context, for what the above does not give. */
  hono: Context
}

export interface Operation<N extends string = string> {
  name: N
  contract: Contract
  // oxlint-disable-next-line typescript/no-explicit-any -- the frame checks the request against the contract
  handle: (call: any, deps: any) => Promise<Response>
}

/** Declares an operation of the table: its contract, and what it does. */
export function operation<const N extends OperationName, const C extends Contract>(
  name: N,
  contract: C,
  handle: (call: Call<N, C>, deps: Registry['deps'][Operations[N]['domain']]) => Promise<Response>,
): Operation<N> {
  return { name, contract, handle }
}
