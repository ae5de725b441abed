import type { Context } from 'hono'
import { Problem } from '../problems.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** What the row of the operation says about a body of lines. */
    upload: UploadLimits | undefined
  }
}

export interface UploadLimits {
  /** The largest body, in bytes. */
  maxBytes: number
  /** How long it may take, in ms. */
  maxMs: number
}

/**
 * Reads the body of a request chunk by chunk, each only when it is wanted, so that a client that sends faster than its
 * lines are handled has to wait.
 * @throws Problem 413 or 408 in the middle, if it becomes too large or takes too long
 */
export async function* chunksOf(c: Context, { maxBytes, maxMs }: UploadLimits): AsyncGenerator<Uint8Array> {
  const { body } = c.req.raw
  if (body === null) return
  const reader = (body as ReadableStream<Uint8Array>).getReader()
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    // the read that waits ends
    reader.cancel().catch(() => {})
  }, maxMs)
  try {
    let size = 0
    for (;;) {
      const { done, value } = await reader.read()
      if (isLate) throw tooLong(maxMs)
      if (done) return
      size += value.length
      if (size > maxBytes) throw tooLarge(maxBytes)
      yield value
    }
  } finally {
    clearTimeout(timer)
    reader.cancel().catch(() => {})
  }
}

export const tooLarge = (maxBytes: number) =>
  new Problem('body-too-large', { detail: `Send at most ${maxBytes / 1024 / 1024} MiB.` })

const tooLong = (maxMs: number) =>
  new Problem('too-slow', { detail: `All lines must be sent within ${maxMs / 1000} s: send the rest again.` })
