import { describe, expect, it } from 'vitest'
import { createStartup } from './startup.ts'

describe('a start', () => {
  it('undoes its steps once, in reverse order', async () => {
    const startup = createStartup()
    const undone: string[] = []
    startup.onStop(() => undone.push('stores'))
    startup.onStop(async () => {
      await Promise.resolve()
      undone.push('functions')
    })
    await startup.stop()
    await startup.stop()
    expect(undone).toEqual(['functions', 'stores'])
  })

  it('rejects the current step when it is aborted', async () => {
    const aborted = new AbortController()
    const startup = createStartup(aborted.signal)
    expect(await startup.step(Promise.resolve('done'))).toBe('done')
    const step = startup.step(new Promise(() => {}))
    aborted.abort(new Error('Ctrl-C'))
    await expect(step).rejects.toThrow('Ctrl-C')
  })

  it('rejects the current step when something that it needs fails', async () => {
    const startup = createStartup()
    startup.endIf(Promise.reject(new Error('PostgreSQL ended')))
    await expect(startup.step(new Promise(() => {}))).rejects.toThrow('PostgreSQL ended')
  })

  it('rejects its first step if it was aborted before', async () => {
    const startup = createStartup(AbortSignal.abort(new Error('Ctrl-C')))
    await expect(startup.step(new Promise(() => {}))).rejects.toThrow('Ctrl-C')
  })
})
