import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What one call of a function costs. */
export interface CallCost {
  /** How often it is called for an order. Operations that visitors call at will have none. Events count, not batches. */
  perOrder?: number
  /** CPU time of a call, in ms. */
  cpuMs: number
  /** How long a call is in flight, in ms. */
  ms: number
}

/** What an order writes to a table, from placing to the end, and what the relay removes later. */
export interface TableCost {
  inserted: number
  updated: number
  /** Those of the updates that need no new index entries (HOT). */
  hot: number
  deleted: number
  /** How many bytes the table and its indexes grow by. */
  bytes: number
}

/** The measured costs, by which docs/capacity.md is computed. */
export interface Measured {
  /** What it was measured on. */
  machine: string
  /** How many orders. */
  orders: number
  functions: Record<string, CallCost>
  /** CPU time for an order of what is not a function, in ms. */
  services: { relay: number; dispatcher: number; nats: number; postgres: number }
  /** From starting a function's process until it listens, in ms. */
  startMs: number
  postgres: {
    walBytes: number
    /** Those of the WAL bytes that removing the expired rows writes. */
    purgeWalBytes: number
    transactions: number
    /** How long each role's connections are in use for an order, in ms. */
    busyMs: Record<string, number>
    tables: Record<string, TableCost>
  }
  jetstream: { messages: number; bytes: number }
  /** Settings of autovacuum. */
  vacuum: { threshold: number; scaleFactor: number; freezeAge: number }
  /** How many durable consumers the stream has. */
  consumers: number
  /** Measured on a cluster, by another command. */
  cluster: {
    command: string
    /** From a request to a function without a pod until its answer, in ms. */
    coldStartMs: number
  }
}

export const measuredFile = join(import.meta.dirname, 'measured.json')

export const readMeasured = () => JSON.parse(readFileSync(measuredFile, 'utf8')) as Measured
