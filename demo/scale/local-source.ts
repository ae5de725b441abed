import { functions } from '../../functions/table.ts'
import type { ScaleReport } from '../../local/activator/activator.ts'
import type { FunctionReport } from '../../local/activator/report.ts'
import type { ColdStart, Part, Sample, ScaleSource } from './source.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'

/** Reads the local runner's `GET /_scale`. Returns undefined if the shop has no such page. */
export async function openLocal(url: string): Promise<ScaleSource | undefined> {
  const first = await ask()
  if (first === undefined) return undefined
  if (Object.keys(first.functions).length === 0)
    throw new UserError(
      'This shop runs all functions in one process. Start it without --in-process to see them scale.',
    )
  const starts = coldStarts(first)
  return {
    label: `the local runner at ${url}`,
    note: 'A pod is a process here. The local runner scales everything on concurrency. In a cluster, an HPA scales the functions that are shown under CPU.',
    everyMs: 500,
    windowSeconds: first.windowSeconds,
    async sample() {
      const report = await ask()
      if (report === undefined) throw new UserError(`${url}/_scale is gone`)
      starts.see(report)
      return toSample(report, Date.now())
    },
    coldStarts: () => starts.seen(),
    close: async () => {},
  }

  async function ask(): Promise<ScaleReport | undefined> {
    const response = await fetch(`${url}/_scale`, { signal: AbortSignal.timeout(10_000) })
    const text = await response.text()
    // a gateway may return a page of its own
    return response.ok && text.startsWith('{') ? (JSON.parse(text) as ScaleReport) : undefined
  }
}

export const toSample = (report: ScaleReport, at: number): Sample => ({
  at,
  parts: Object.entries(report.functions).map(([name, one]) => toPart(name, one)),
})

function toPart(name: string, { instances, desired, concurrency, panic, decisions }: FunctionReport): Part {
  const scaling = name in functions ? functions[name as keyof typeof functions].scaling : 'zero'
  const count = (state: string) => instances.filter((instance) => instance.state === state).length
  return {
    name,
    class: scaling === 'cpu' ? 'hpa' : 'kpa',
    floor: 0,
    desired,
    ready: count('ready'),
    starting: count('starting'),
    concurrency: concurrency.inFlight + concurrency.queued,
    cpu: undefined,
    panic,
    reason: decisions.at(-1)?.reason,
  }
}

/** Collects the cold starts of processes, without those that ran before. */
export function coldStarts(first: ScaleReport) {
  const known = new Set<string>()
  const found: ColdStart[] = []
  let before = readyIn(first)
  for (const [name, { instances }] of Object.entries(first.functions))
    for (const { startedAt } of instances) known.add(`${name} ${startedAt}`)
  return {
    see(report: ScaleReport) {
      for (const [name, { instances }] of Object.entries(report.functions))
        for (const { startedAt, startMs, pid } of instances) {
          const key = `${name} ${startedAt} ${pid}`
          if (startMs === undefined || known.has(key) || known.has(`${name} ${startedAt}`)) continue
          known.add(key)
          found.push({ name, at: Date.parse(startedAt), ms: startMs, fromZero: !before.has(name) })
        }
      before = readyIn(report)
    },
    seen: () => found.toSorted((a, b) => a.at - b.at),
  }
}

const readyIn = ({ functions }: ScaleReport) =>
  new Set(
    Object.entries(functions)
      .filter(([, { instances }]) => instances.some(({ state }) => state === 'ready'))
      .map(([name]) => name),
  )
