import type { LogEntry } from './wire.ts'

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
  const { level, msg, reaction, type, reason, err, trace_id: trace } = said
  const about = typeof reaction === 'string' ? `${reaction}: ` : ''
  const why = [type, reason, firstLine(err?.message)].filter((part) => typeof part === 'string')
  const text = [`${about}${msg}`, ...why].join(' – ')
  return {
    name,
    isError: Number(level) >= 50,
    text: text.length > longest ? `${text.slice(0, longest)} …` : text,
    ...(typeof trace === 'string' && { trace }),
  }
}

interface Said {
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
