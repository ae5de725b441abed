import { describe, expect, it } from 'vitest'
import { openVisitors, pick } from './visitors.ts'

describe('the people of the load', () => {
  it('look around more often than they order', () => {
    const picked = Array.from({ length: 1000 }, (_, n) => pick(() => n / 1000))
    const times = (name: string) => picked.filter((one) => one === name).length
    expect(times('list-products')).toBeGreaterThan(times('create-order'))
    expect(times('create-order')).toBe(100)
    expect(new Set(picked)).toContain('log-in')
  })

  it('are told what to do where no shop is', async () => {
    // nothing may listen on the port tcpmux, and fetch is not what asks
    await expect(openVisitors('http://127.0.0.1:1', 'secret')).rejects.toThrow(
      'No shop answers at http://127.0.0.1:1 (ECONNREFUSED). Start it with npm start',
    )
  })
})
