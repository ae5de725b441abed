import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { secretsFolder } from '../../compose/secrets.ts'
import { reachGateway } from '../../knative/cluster.ts'
import { get } from '../../knative/kubectl.ts'
import { testClient } from '../client.ts'

export const namespace = 'zeroshop'

export const demoPassword = () => readFileSync(join(secretsFolder, 'demo-password'), 'utf8').trim()

/** Returns a client of the shop in the cluster, through its gateway. */
export async function openShop() {
  const url = await reachGateway(namespace)
  return testClient(url, demoPassword())
}

interface Pod {
  metadata: { name: string; deletionTimestamp?: string }
  status: { phase: string; conditions?: { type: string; status: string }[] }
}

/** Returns the pods of a part of the shop, without terminating ones. */
export async function podsOf(name: string): Promise<Pod[]> {
  const selector = `app.kubernetes.io/name=${name}`
  const { items } = await get<{ items: Pod[] }>(['pods', '-n', namespace, '-l', selector])
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

/** Returns the number of ready pods of a part. */
export const readyPods = async (name: string): Promise<number> =>
  (await podsOf(name)).filter(({ status }) =>
    status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
  ).length
