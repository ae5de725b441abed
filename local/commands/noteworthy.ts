/** The same line of the same process is not shown again sooner than this, in ms. */
const repeatAfterMs = 60_000

/**
 * Picks what a person should see without looking into the log: errors, and what is no log line at all (the runner's own
 * remarks, the last words of a process that died), each once a minute and in one line without its stack.
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

/** What Node prints around an error's message. */
const isStack = (line: string) =>
  /^\s*$|^\s+at |^(?:file|node):.*:\d+$|^\s*\^+$|^Node\.js v|^[\s}{\]]+$|^\s+(?:code|errno|syscall|port|address|\[cause\]):/.test(
    line,
  )
