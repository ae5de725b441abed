import { describe, expect, it } from 'vitest'
import { web } from './lazy-web.ts'

const stand = web as unknown as Pick<typeof globalThis, 'Headers' | 'Request' | 'Response'>

describe('a class that is loaded later', () => {
  it('is none of which a plain object could be an instance', () => {
    for (const value of [{ status: 200 }, [['a', 'b']], Object.create(null), undefined, null, 'text'])
      expect(value instanceof stand.Response).toBe(false)
  })

  it('can be extended before it is loaded, as @hono/node-server does', async () => {
    class Special extends stand.Request {
      special = true
    }
    const light: unknown = Object.create(stand.Request.prototype)
    expect(light instanceof stand.Request).toBe(true)
    const request = new Special('http://localhost/', { method: 'POST', body: 'text' })
    expect([request.special, request.method, await request.text()]).toEqual([true, 'POST', 'text'])
    for (const type of [Special, stand.Request, Request]) expect(request).toBeInstanceOf(type)
    expect(light instanceof stand.Request).toBe(true)
  })

  it('makes objects of the global class', () => {
    const headers = new stand.Headers({ a: 'b' })
    expect([...headers]).toEqual([['a', 'b']])
    expect(headers.constructor).toBe(Headers)
  })

  it('has the static methods of the global class, and recognises its objects', async () => {
    const response = stand.Response.json({ a: 1 })
    expect(await response.json()).toEqual({ a: 1 })
    expect(response instanceof stand.Response).toBe(true)
    expect(new Response() instanceof stand.Response).toBe(true)
  })
})
