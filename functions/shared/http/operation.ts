import type * as z from 'zod'
import type { Context } from 'hono'
import type { Actor } from '../auth/actor.ts'
import type { User } from '../auth/access-token.ts'
import type { IdempotencyKey } from '../store/idempotency.ts'
import type { Registry } from '../registry.ts'
import type { ProblemName, ProblemType } from './problems.ts'
import type { LogSecurity } from './security-log.ts'

type Operations = Registry['operations']
export type OperationName = keyof Operations

type Schema = z.ZodType

/** What an operation accepts and returns. Its method, path and callers are in the domain's `domain.ts`. */
export interface Contract {
  request: {
    params?: Schema
    query?: Schema
    body?: Schema
    /** The fields of the form that a page sends, which the operation reads itself (readForm). */
    form?: Schema
    /** What each line of the body contains, if the row has `uploadMiB`. */
    lines?: Schema
  }
  /** The formats in which lines can be sent. */
  formats?: readonly { type: string }[]
  /** The body of each success status; `null` if it has none. */
  responses: Record<number, Schema | null>
  /** The problems that the operation itself returns, in addition to those that every operation may return. */
  problems?: readonly (ProblemName | ProblemType)[]
  /** The headers that a request may have, and what they mean, beyond those that follow from the rest. */
  requestHeaders?: Readonly<Record<string, string>>
  /**
   * The operation whose answers it passes on: those that are successful, and its problems. They are documented with its
   * own.
   */
  answersAs?: OperationName
  /** The headers of a successful response. */
  headers?: readonly ('ETag' | 'Location' | 'Link')[]
  /** The largest request body, in bytes; 100 KiB by default. */
  maxBody?: number
  /** The type of the response; `application/json` by default. */
  contentType?: string
  /** The types in which it can be had instead, if the client's `Accept` says so (accepted-type.ts). */
  otherTypes?: readonly ('text/html' | 'application/pdf')[]
  /**
   * Returns the caller of a request without an Authorization header, if something else in it proves who that is.
   * @throws Problem 401 if it proves nothing
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the dependencies of the operation's domain
  authenticate?: (c: Context, deps: any) => Promise<User | undefined>
}

type Part<C extends Contract, K extends 'params' | 'query' | 'body'> = C['request'][K] extends Schema
  ? z.output<C['request'][K]>
  : undefined

type Body<C extends Contract, S extends keyof C['responses']> = C['responses'][S] extends Schema
  ? z.input<C['responses'][S]>
  : never

type Caller<N extends OperationName> = Operations[N] extends { by: 'anyone' } ? User | undefined : User

type Key<N extends OperationName> = Operations[N] extends { idempotent: true } ? IdempotencyKey : undefined

/** One request to an operation: its validated input, and functions that make the response. */
export interface Call<N extends OperationName, C extends Contract> {
  params: Part<C, 'params'>
  query: Part<C, 'query'>
  body: Part<C, 'body'>
  user: Caller<N>
  /** The caller, as events name them. */
  actor: Actor
  /** The Idempotency-Key, if `domain.ts` declares the operation as idempotent. */
  key: Key<N>
  /** The network address of the client, for limits and the log. */
  address: string
  traceparent: string | undefined
  /** Writes into the security log. Refused requests are logged already. */
  logSecurity: LogSecurity
  /** Makes a JSON response. The contract must declare the status and the body. */
  json: <S extends keyof C['responses'] & number>(
    body: Body<C, S>,
    status: S,
    headers?: Record<string, string>,
  ) => Response
  /** Makes a 204 response. */
  empty: () => Response
  /** Hono's context, for anything else. */
  hono: Context
}

export interface Operation<N extends string = string> {
  name: N
  contract: Contract
  // oxlint-disable-next-line typescript/no-explicit-any -- createApp validates the request against the contract
  handle: (call: any, deps: any) => Promise<Response>
}

/** Declares an operation: its name in the domain's `domain.ts`, its contract, and its code. */
export function operation<const N extends OperationName, const C extends Contract>(
  name: N,
  contract: C,
  handle: (call: Call<N, C>, deps: Registry['deps'][Operations[N]['domain']]) => Promise<Response>,
): Operation<N> {
  return { name, contract, handle }
}
