import * as z from 'zod'
import type { Context } from 'hono'
import type { Logger } from 'pino'
import type { User } from '../../auth/access-token.ts'
import { refuseIfEnded, type IsSessionEnded } from '../../auth/ended-sessions.ts'
import { Problem } from '../problems.ts'
import { toProblem } from '../to-problem.ts'
import { check, refuseEncoded } from '../validate.ts'
import type { LineFormat } from './format.ts'
import { splitLines, type Line } from './split-lines.ts'
import { streamLines } from './stream-lines.ts'
import { chunksOf, type UploadLimits } from './upload.ts'

/*
 * Operations that take many lines and answer each: the answer is streamed while the body is still being read, so both
 * may be of any length. What is read, but not answered yet, is one chunk at most. If the client does not read its answer,
 * its body is not read either.
 */

/** A line that has been read, with its number in the body. */
export interface ReadLine<L> {
  line: number
  value: L
  /** For finding out whether the same line was sent before. */
  text: string
}

/** What became of a line: the members of its answer, or the problem for which it is refused. */
export type Outcome = object | Problem

/** Returns the schema of what is answered. `done` are the members of a line that is done. */
export const lineAnswers = (done: z.ZodRawShape, id: string) =>
  z
    .object({
      line: z.int().optional().meta({ description: 'The number of the line, from 1 on. Blank lines count.' }),
      status: z.enum(['done', 'refused', 'finished', 'stopped']).meta({
        description:
          'The last line of the answer is `finished`, or `stopped` with the problem that ended it. Without it, the answer is not complete.',
      }),
      ...z.object(done).partial().shape,
      type: z.string().optional(),
      title: z.string().optional(),
      detail: z.string().optional(),
      errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
      done: z.int().optional().meta({ description: 'How many lines were done.' }),
      refused: z.int().optional().meta({ description: 'How many were refused.' }),
    })
    .meta({ id })

export interface Handling<L> {
  formats: readonly LineFormat[]
  schema: z.ZodType<L>
  /** How many lines are written together. Fewer are if no more have arrived. */
  atOnce: number
  /** Writes lines. Returns what became of each. What it throws ends the answer. */
  write: (lines: readonly ReadLine<L>[]) => Promise<readonly Outcome[]>
}

/**
 * Returns a response that answers each line of the request's body. A line that is refused does not stop the others. The
 * answer ends early if the body becomes too large, takes too long, or the caller's session ends; and if the client
 * disconnects, after the lines that are being written.
 * @throws Problem 415 if the body is in another format; 429 if the caller sends as many bodies as the row allows
 */
export function answerLines<L>(
  { hono: c, user }: { hono: Context; user: User },
  { log, isSessionEnded }: { log: Logger; isSessionEnded: IsSessionEnded },
  handling: Handling<L>,
): Response {
  const format = formatOf(c, handling.formats)
  const limits = c.get('upload')!
  const mayGoOn = () => refuseIfEnded(isSessionEnded, user)
  return streamLines(c, answersOf(c, log, limits, batchesOf(c, limits, format, handling), handling, mayGoOn))
}

function formatOf(c: Context, formats: readonly LineFormat[]): LineFormat {
  const [sent = ''] = (c.req.header('content-type') ?? '').split(';')
  const format = formats.find(({ type }) => type === sent.trim().toLowerCase())
  const accept = formats.map(({ type }) => type).join(', ')
  if (format === undefined)
    throw new Problem('not-lines', {
      detail: `Send the body with Content-Type: ${accept.replaceAll(', ', ' or ')}.`,
      headers: { accept },
    })
  refuseEncoded(c, accept)
  return format
}

/** A line that can be handled, or the problem for which it is refused. */
type Checked<L> = ReadLine<L> | { line: number; problem: Problem }

/** Reads and checks the lines of a body, in groups of those that are there. */
async function* batchesOf<L>(
  c: Context,
  limits: UploadLimits,
  format: LineFormat,
  { schema, atOnce }: Handling<L>,
): AsyncGenerator<Checked<L>[]> {
  const read = format.open()
  const checked = ({ line, text, fault }: Line): Checked<L>[] => {
    try {
      if (text === undefined) throw unreadable(fault!)
      const value = read(text)
      return value === undefined ? [] : [{ line, text, value: check(schema, value, 'line') }]
    } catch (error) {
      if (error instanceof Problem) return [{ line, problem: error }]
      throw error
    }
  }
  for await (const lines of splitLines(chunksOf(c, limits)))
    for (let from = 0; from < lines.length; from += atOnce)
      yield lines.slice(from, from + atOnce).flatMap(checked)
}

const unreadable = (fault: string) =>
  new Problem('invalid-request', {
    detail: `The line is ${fault}.`,
    errors: [{ pointer: '/line', detail: fault }],
  })

/** Handles the lines, and yields the answer to each, and how it ended. */
async function* answersOf<L>(
  c: Context,
  log: Logger,
  { maxMs }: UploadLimits,
  batches: AsyncIterable<Checked<L>[]>,
  { write }: Handling<L>,
  mayGoOn: () => Promise<void>,
): AsyncGenerator<object[]> {
  const until = performance.now() + maxMs
  const counts = { done: 0, refused: 0 }
  try {
    for await (const lines of batches) {
      await mayGoOn()
      const good = lines.filter((each) => 'value' in each)
      const outcomes = new Map<number, Outcome>()
      const written = good.length === 0 ? [] : await write(good)
      for (const [i, { line }] of good.entries()) outcomes.set(line, written[i]!)
      const answers = lines.map((each) =>
        toAnswer(each.line, 'problem' in each ? each.problem : outcomes.get(each.line)!),
      )
      for (const { status } of answers) counts[status]++
      if (answers.length > 0) yield answers
      // a client that does not read its answer
      if (performance.now() > until)
        throw new Problem('too-slow', { detail: `It took more than ${maxMs / 1000} s.` })
    }
    yield [{ status: 'finished', ...counts }]
  } catch (error) {
    // nobody hears of it
    if (isDisconnected(error)) return
    yield [{ status: 'stopped', ...membersOf(toProblem(error, c, log)), ...counts }]
  }
}

/** Whether the body ended because the client went away. */
const isDisconnected = (error: unknown) =>
  error instanceof Error &&
  ['ECONNRESET', 'ABORT_ERR', 'ERR_STREAM_PREMATURE_CLOSE'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  )

const toAnswer = (line: number, outcome: Outcome) =>
  outcome instanceof Problem
    ? { line, status: 'refused' as const, ...membersOf(outcome) }
    : { line, status: 'done' as const, ...outcome }

/** Returns the members of a problem, without its HTTP status. */
function membersOf(problem: Problem) {
  const { status: _, ...members } = problem.toDocument()
  return members
}
