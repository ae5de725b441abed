import { describe, expect, it } from 'vitest'
import { freePort } from '../../local/ports.ts'
import { openVisitors, pick } from './visitors.ts'

describe('the people of the load', () => {
  it('look around more often than they order', () => {
    const picked = Array.from({ length: 1000 }, (_, n) => pick(() => n / 1000))
    const times = (name: string) => picked.filter((one) => one === name).length
    expect(times('list-products')).toBeGreaterThan(times('create-order'))
    expect(times('create-order')).toBe(100)
    expect(new Set(picked)).toContain('log-in')
  })

  it('fail with advice if no shop can be reached', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    await expect(openVisitors(url, 'secret')).rejects.toThrow(
      `No shop answers at ${url} (ECONNREFUSED). Start it with npm start`,
    )
  })
})
