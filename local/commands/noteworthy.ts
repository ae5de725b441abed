/** How long the same line of a process is not shown again, in ms. */
const repeatAfterMs = 60_000

/**
 * Returns a function that selects the lines of processes that are shown in the terminal: errors, and lines that are not in
 * the log format (from the runner, or the last output of a process that crashed). It returns such a line at most once a
 * minute and without the stack, and undefined for all others.
 */
export function noteworthy(now: () => number = Date.now) {
  const shown = new Map<string, number>()
  return (name: string, line: string): string | undefined => {
    const text = textOf(line)
    if (text === undefined) return undefined
    const whole = `${name}: ${text.length > 300 ? `${text.slice(0, 300)} …` : text}`
    const last = shown.get(whole)
    if (last !== undefined && now() - last < repeatAfterMs) return undefined
    if (shown.size > 1_000) shown.clear()
    shown.set(whole, now())
    return whole
  }
}

function textOf(line: string): string | undefined {
  if (!line.startsWith('{"level":')) return isStack(line) ? undefined : line
  try {
    const { level, msg, err } = JSON.parse(line) as {
      level: number
      msg?: string
      err?: { message?: string }
    }
    if (level < 50) return undefined
    const why = err?.message?.split('\n')[0]
    return [msg, why].filter((part) => part !== undefined).join(': ')
  } catch {
    return line
  }
}

/** Whether it is one of the lines that Node prints around an error's message. */
export const isStack = (line: string) =>
  /^\s*$|^\s+at |^(?:file|node):.*:\d+$|^\s*\^+$|^Node\.js v|^[\s}{\]]+$|^\s+(?:code|errno|syscall|port|address|\[cause\]):/.test(
    line,
  )
