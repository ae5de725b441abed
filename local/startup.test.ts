import { describe, expect, it } from 'vitest'
import { createStartup } from './startup.ts'

describe('a start', () => {
  it('undoes its steps once, each before the one that it depends on', async () => {
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

  it('gives up the step that is under way when it is aborted', async () => {
    const aborted = new AbortController()
    const startup = createStartup(aborted.signal)
    expect(await startup.step(Promise.resolve('done'))).toBe('done')
    const step = startup.step(new Promise(() => {}))
    aborted.abort(new Error('Ctrl-C'))
    await expect(step).rejects.toThrow('Ctrl-C')
  })

  it('gives up once something that it needs has failed', async () => {
    const startup = createStartup()
    startup.endIf(Promise.reject(new Error('PostgreSQL ended')))
    await expect(startup.step(new Promise(() => {}))).rejects.toThrow('PostgreSQL ended')
  })

  it('that is aborted before it begins takes no step', async () => {
    const startup = createStartup(AbortSignal.abort(new Error('Ctrl-C')))
    await expect(startup.step(new Promise(() => {}))).rejects.toThrow('Ctrl-C')
  })
})
