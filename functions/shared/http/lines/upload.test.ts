import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { Problem } from '../problems.ts'
import { chunksOf, type UploadLimits } from './upload.ts'

/** Reads a body, and returns how many bytes were read and why that ended. */
async function read(body: ReadableStream<Uint8Array> | null, limits: Partial<UploadLimits> = {}) {
  const app = new Hono()
  let bytes = 0
  let ended = 'at its end'
  app.post('/', async (c) => {
    try {
      for await (const chunk of chunksOf(c, { maxBytes: 100, maxMs: 5_000, ...limits })) bytes += chunk.length
    } catch (error) {
      ended = error instanceof Problem ? error.type.name : 'broken'
    }
    return c.body(null)
  })
  await app.request('/', { method: 'POST', body, duplex: 'half' })
  return { bytes, ended }
}

const sized = (...sizes: number[]) => ReadableStream.from(sizes.map((size) => new Uint8Array(size)))

describe('a body that is read chunk by chunk', () => {
  it('may be as large as is allowed', async () => {
    expect(await read(sized(60, 40))).toEqual({ bytes: 100, ended: 'at its end' })
    expect(await read(null)).toEqual({ bytes: 0, ended: 'at its end' })
  })

  it('ends when it becomes too large, even if it does not say how large it is', async () => {
    expect(await read(sized(60, 41, 10))).toEqual({ bytes: 60, ended: 'body-too-large' })
  })

  it('ends when it takes too long, and is not read further', async () => {
    let isCancelled = false
    const silent = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(7)),
      cancel: () => {
        isCancelled = true
      },
    })
    expect(await read(silent, { maxMs: 20 })).toEqual({ bytes: 7, ended: 'too-slow' })
    expect(isCancelled).toBe(true)
  })

  it('is broken if its client goes away', async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error('gone')),
    })
    expect(await read(broken)).toEqual({ bytes: 0, ended: 'broken' })
  })
})
