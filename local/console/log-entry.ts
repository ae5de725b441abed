import { isStack } from '../commands/noteworthy.ts'
import type { LogEntry, TraceLog } from './wire.ts'

/** The longest text that is kept, in characters. */
const longest = 300

/** The levels of pino's lines that are warnings or errors. */
const isNoteworthy = (line: string) => /^\{"level":[4-6]0,/.test(line)

/**
 * Returns what the console shows of a line that a process has written: the message of a warning or an error, what the
 * dispatcher says about a failed delivery, and what is not in the log format, such as the last words of a process that
 * crashed. Undefined for all other lines, and for the security log, which contains addresses.
 */
export function toLogEntry(name: string, line: string): Omit<LogEntry, 'n' | 'at'> | undefined {
  if (!line.startsWith('{"level":')) {
    if (isStack(line)) return undefined
    return { name, isError: /^\w*Error\b/.test(line), text: shortened(firstLine(line)) }
  }
  if (!isNoteworthy(line)) return undefined
  const said = parse(line)
  if (said === undefined || 'security' in said || typeof said.msg !== 'string') return undefined
  const { level, trace_id: trace } = said
  return {
    name,
    isError: Number(level) >= 50,
    text: textOf(said),
    ...(typeof trace === 'string' && { trace }),
  }
}

/** Returns what the console shows of a line that belongs to a trace; undefined if it cannot be read. */
export function toTraceLog(name: string, line: string): TraceLog | undefined {
  const said = parse(line)
  if (typeof said?.time !== 'number') return undefined
  const level = Number(said.level)
  return {
    at: said.time,
    name,
    level: level >= 50 ? 'error' : level >= 40 ? 'warning' : 'info',
    text: textOf(said),
  }
}

/** Returns the message, and why. The fields of a line of the security log are left out, because they contain addresses. */
function textOf({ msg, reaction, type, reason, err, method, route, status }: Said): string {
  const about = typeof reaction === 'string' ? `${reaction}: ` : ''
  const message = typeof err?.message === 'string' ? firstLine(err.message) : undefined
  // of the lines that LOG_REQUESTS adds
  const request = method === undefined ? undefined : [method, route, status].join(' ')
  const why = [request, type, reason, message].filter((part) => typeof part === 'string')
  return shortened([`${about}${typeof msg === 'string' ? msg : ''}`, ...why].join(' – '))
}

interface Said {
  time?: unknown
  level?: unknown
  msg?: unknown
  reaction?: unknown
  type?: unknown
  reason?: unknown
  err?: { message?: unknown } | undefined
  trace_id?: unknown
  method?: unknown
  route?: unknown
  status?: unknown
}

function parse(line: string): Said | undefined {
  try {
    return JSON.parse(line) as Said
  } catch {
    return undefined
  }
}

const firstLine = (text: string) => text.split('\n', 1)[0]!

const shortened = (text: string) => (text.length > longest ? `${text.slice(0, longest)} …` : text)
