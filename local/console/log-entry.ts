import type { LogEntry, TraceLog } from './wire.ts'

/** The longest text that is kept, in characters. */
const longest = 300

/** The levels of pino's lines that are warnings or errors. */
const isNoteworthy = (line: string) => /^\{"level":[4-6]0,/.test(line)

/**
 * Returns what the console shows of a line that a process has written: the message of a warning or an error, and what
 * the dispatcher says about a failed delivery. Undefined for all other lines, and for the security log, which contains
 * addresses.
 */
export function toLogEntry(name: string, line: string): Omit<LogEntry, 'n' | 'at'> | undefined {
  // also skips the traces of errors, whose first line says enough
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
  if (said === undefined) return undefined
  const level = Number(said.level)
  return {
    at: Number(said.time),
    name,
    level: level >= 50 ? 'error' : level >= 40 ? 'warning' : 'info',
    text: textOf(said),
  }
}

/** Returns the message, and why. The fields of a line of the security log are left out, because they contain addresses. */
function textOf({ msg, reaction, type, reason, err }: Said): string {
  const about = typeof reaction === 'string' ? `${reaction}: ` : ''
  const why = [type, reason, firstLine(err?.message)].filter((part) => typeof part === 'string')
  const text = [`${about}${typeof msg === 'string' ? msg : ''}`, ...why].join(' – ')
  return text.length > longest ? `${text.slice(0, longest)} …` : text
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
}

function parse(line: string): Said | undefined {
  try {
    return JSON.parse(line) as Said
  } catch {
    return undefined
  }
}

const firstLine = (text: unknown) => (typeof text === 'string' ? text.split('\n')[0] : undefined)
