/** Knative's own metrics: where its autoscaler, activator and queue-proxies push them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pc from 'picocolors'
import { parse } from 'yaml'
import { kubectl } from './kubectl.ts'

type Settings = Readonly<Record<string, string>>

const inKnative = ['-n', 'knative-serving']
const configMap = 'config-observability'
/** The parts whose metrics the dashboards show. They read the settings only when they start. */
const parts = ['deployment/autoscaler', 'deployment/activator']

/** Returns the settings with which Knative pushes its metrics to the collector of a shop. */
export function settingsOf(namespace: string): Settings {
  const text = readFileSync(join(import.meta.dirname, `${configMap}.yaml`), 'utf8')
  return (parse(text.replaceAll('collector.zeroshop.', `collector.${namespace}.`)) as { data: Settings }).data
}

/** Returns where metrics are pushed to according to settings, or what scrapes them; undefined if they go nowhere. */
export const targetOf = (settings: Settings): string | undefined => {
  const { 'metrics-protocol': protocol = 'none', 'metrics-endpoint': endpoint = protocol } = settings
  return protocol === 'none' ? undefined : endpoint
}

/** Returns the settings that there are; none if there is no Knative. */
async function present(): Promise<Settings> {
  const text = await kubectl([
    'get',
    'configmap',
    configMap,
    ...inKnative,
    '--ignore-not-found',
    '-o',
    'json',
  ])
  return text === '' ? {} : ((JSON.parse(text) as { data?: Settings }).data ?? {})
}

/**
 * Has Knative push its metrics to the collector of a shop. Each function that runs then gets new pods. If its metrics
 * already go elsewhere, nothing is changed, and this is said.
 */
export async function observeKnative(namespace: string): Promise<void> {
  const before = await present()
  const wanted = settingsOf(namespace)
  const [target, own] = [targetOf(before), targetOf(wanted)]
  if (target !== undefined && target !== own) {
    console.log(
      pc.yellow(
        `Knative already sends its metrics to ${target}, so the dashboard Scaling stays empty: docs/monitoring.md.`,
      ),
    )
    return
  }
  if (Object.entries(wanted).every(([key, value]) => before[key] === value)) return
  await change(wanted)
  for (const part of parts) await kubectl(['rollout', 'status', part, ...inKnative, '--timeout=180s'])
}

/** Ends what observeKnative has begun. */
export async function stopObserving(namespace: string): Promise<void> {
  const wanted = settingsOf(namespace)
  if (targetOf(await present()) !== targetOf(wanted)) return
  await change(Object.fromEntries(Object.keys(wanted).map((key) => [key, null])))
}

async function change(data: Readonly<Record<string, string | null>>): Promise<void> {
  await kubectl([
    'patch',
    'configmap',
    configMap,
    ...inKnative,
    '--type',
    'merge',
    '-p',
    JSON.stringify({ data }),
  ])
  await kubectl(['rollout', 'restart', ...parts, ...inKnative])
}
