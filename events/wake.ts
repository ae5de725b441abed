import { inSpan } from '../functions/shared/telemetry/telemetry.ts'
import { consumers } from './consumers.table.ts'

/** How long a function certainly runs after a request, in ms: half of Knative's stable window. */
export const freshMs = 30_000

/** How long a function may take to start, in ms. Its answer is ignored. */
const patienceMs = 30_000

/**
 * Returns the reactions that follow an event if every step succeeds, without its own direct reactions, and without those
 * for which nothing waits.
 */
export function reactionsAfter(type: string): string[] {
  const found = new Set<string>()
  const follow = (type: string, isFirst: boolean) => {
    for (const [name, { on, leadsTo, isPatient }] of Object.entries(consumers)) {
      if (!on.includes(type) || isPatient) continue
      if (found.has(name)) continue
      if (!isFirst) found.add(name)
      if (leadsTo !== undefined) follow(leadsTo, false)
    }
  }
  follow(type, true)
  return [...found]
}

/**
 * Starts functions before their events arrive. If every function of a saga is scaled to zero, their cold
 * starts then run in parallel instead of adding up.
 * @param url returns the URL of a reaction
 * @param stopping aborts open requests
 */
export function createWaker(url: (name: string) => string, stopping: AbortSignal) {
  const lastAsked = new Map<string, number>()
  const asked = (name: string) => void lastAsked.set(name, performance.now())
  const isFresh = (name: string) => performance.now() - (lastAsked.get(name) ?? -freshMs) < freshMs
  return {
    /** Records that a reaction has answered a request, so it need not be woken. */
    asked,
    /** Whether a reaction has run a moment ago, so that it need not be started. */
    isFresh,
    /**
     * Wakes the reactions that follow an event of this type. It neither waits nor fails: a function that does
     * not start now is started by the delivery.
     * @param parent the traceparent of the delivery
     */
    wakeAfter(type: string, parent?: string): void {
      for (const name of reactionsAfter(type)) {
        if (isFresh(name)) continue
        asked(name)
        const signal = AbortSignal.any([stopping, AbortSignal.timeout(patienceMs)])
        inSpan({ name: `wake ${name}`, kind: 'client', parent: parent ?? null }, async (span) => {
          const headers = span === undefined ? {} : { traceparent: span.traceparent }
          const response = await fetch(`${url(name)}/health/liveness`, { signal, headers })
          await response.body?.cancel()
        }).catch(() => lastAsked.delete(name))
      }
    },
  }
}
