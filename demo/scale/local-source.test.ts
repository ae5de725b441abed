import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import type { ScaleReport } from '../../local/activator/activator.ts'
import { listen } from '../../local/front.ts'
import type { FunctionReport, InstanceReport } from '../../local/activator/report.ts'
import { coldStarts, openLocal, toSample } from './local-source.ts'
import { atRest } from './source.ts'

const instance = (
  pid: number,
  state: InstanceReport['state'],
  second: number,
  startMs?: number,
): InstanceReport => ({
  pid,
  state,
  inFlight: 0,
  startedAt: new Date(second * 1000).toISOString(),
  startMs,
})

const report = (functions: Record<string, Partial<FunctionReport>>): ScaleReport => ({
  windowSeconds: 10,
  functions: Object.fromEntries(
    Object.entries(functions).map(([name, one]) => [
      name,
      {
        state: 'ready',
        instances: [],
        concurrency: { stable: 0, panic: 0, inFlight: 0, queued: 0 },
        desired: 0,
        panic: false,
        restarts: 0,
        decisions: [],
        ...one,
      },
    ]),
  ),
})

describe('a report of the local runner', () => {
  it('contains the pods, the concurrency and the reason for the last scaling', () => {
    const [part] = toSample(
      report({
        'create-order': {
          instances: [
            instance(1, 'ready', 1, 300),
            instance(2, 'starting', 2),
            instance(3, 'stopping', 0, 1),
          ],
          concurrency: { stable: 40, panic: 90, inFlight: 70, queued: 12 },
          desired: 2,
          panic: true,
          decisions: [{ at: '', from: 1, to: 2, reason: 'a burst' }],
        },
      }),
      7,
    ).parts
    expect(part).toEqual({
      name: 'create-order',
      class: 'kpa',
      floor: 0,
      desired: 2,
      ready: 1,
      starting: 1,
      concurrency: 82,
      cpu: undefined,
      panic: true,
      reason: 'a burst',
    })
  })

  it('puts functions that a cluster scales on CPU in their own class', () => {
    const { parts } = toSample(report({ 'log-in': {}, 'get-product': {} }), 0)
    expect(parts.map((part) => part.class)).toEqual(['hpa', 'kpa'])
  })

  it('is at rest if no pod runs or is desired', () => {
    const rest = (one: Partial<FunctionReport>) => atRest(toSample(report({ 'get-product': one }), 0))
    expect(rest({})).toBe(true)
    expect(rest({ instances: [instance(1, 'stopping', 0, 1)] })).toBe(true)
    expect(rest({ instances: [instance(1, 'starting', 0)] })).toBe(false)
    expect(rest({ desired: 1 })).toBe(false)
  })
})

describe('cold starts of the local runner', () => {
  it('are those of processes that were started since, once each', () => {
    const old = instance(1, 'ready', 1, 300)
    const starts = coldStarts(report({ 'get-product': { instances: [old] }, 'log-in': {} }))
    const second = report({
      'get-product': { instances: [old, instance(2, 'ready', 5, 410)] },
      'log-in': { instances: [instance(3, 'starting', 6)] },
    })
    starts.see(second)
    starts.see(second)
    starts.see(report({ 'log-in': { instances: [instance(3, 'ready', 6, 520)] } }))
    expect(starts.seen()).toEqual([
      { name: 'get-product', at: 5000, ms: 410, fromZero: false },
      { name: 'log-in', at: 6000, ms: 520, fromZero: true },
    ])
  })
})

describe('a shop', () => {
  const closing: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })
  const shop = async (status: number, body: string) => {
    const { server, port } = await listen((_, response) => response.writeHead(status).end(body), 0)
    closing.push(async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    })
    return `http://127.0.0.1:${port}`
  }

  it('is the local runner if /_scale returns its functions', async () => {
    const source = await openLocal(await shop(200, JSON.stringify(report({ 'log-in': { desired: 1 } }))))
    expect(source?.windowSeconds).toBe(10)
    expect((await source!.sample()).parts).toMatchObject([{ name: 'log-in', desired: 1 }])
  })

  it('is not the local runner if it has no such page', async () => {
    expect(await openLocal(await shop(404, '{"type":"not-found"}'))).toBeUndefined()
    expect(await openLocal(await shop(200, '<!doctype html>'))).toBeUndefined()
  })

  it('is refused if its functions run in one process and cannot scale', async () => {
    await expect(openLocal(await shop(200, '{"functions":{}}'))).rejects.toThrow('--in-process')
  })
})
