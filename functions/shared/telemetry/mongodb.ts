import type { MongoClient } from 'mongodb'
import { errorType, type Span, type Telemetry } from './telemetry.ts'

type Context = Pick<Telemetry, 'record' | 'startSpan'> & { currentSpan: Telemetry['current'] }

const operations = new Set([
  'find',
  'getMore',
  'insert',
  'update',
  'delete',
  'findAndModify',
  'aggregate',
  'ping',
])

/** How many commands may be under way before their spans are given up. */
const mostUnderWay = 1_000

/** Has the commands of a client measured. In a request, each is a span, too. */
export function watchMongodb(client: MongoClient, { record, startSpan, currentSpan }: Context): void {
  const underWay = new Map<number, Span>()
  const nameOf = (command: string) => (operations.has(command) ? command : 'OTHER')
  const end = (id: number, command: string, ms: number, failure?: string) => {
    record('db.client.operation.duration', ms / 1000, {
      'db.system.name': 'mongodb',
      'db.operation.name': nameOf(command),
      'error.type': failure,
    })
    underWay.get(id)?.end(failure)
    underWay.delete(id)
  }
  client
    .on('commandStarted', ({ requestId, commandName }) => {
      if (!currentSpan()?.isSampled || underWay.size >= mostUnderWay) return
      const operation = nameOf(commandName)
      const attributes = { 'db.system.name': 'mongodb', 'db.operation.name': operation }
      underWay.set(requestId, startSpan({ name: `${operation} mongodb`, kind: 'client', attributes }))
    })
    .on('commandSucceeded', ({ requestId, commandName, duration }) => end(requestId, commandName, duration))
    .on('commandFailed', ({ requestId, commandName, duration, failure }) =>
      end(requestId, commandName, duration, errorType(failure)),
    )
}
