/** `npm run undeploy`: removes the shop and its data from the cluster. */
import pc from 'picocolors'
import { run } from '../functions/shared/process/run.ts'
import { readArguments } from '../local/commands/arguments.ts'
import { kubectl } from './kubectl.ts'
import { stopObserving } from './observability.ts'
import { logNamespaceOf } from './overlay.ts'

const usage = `npm run undeploy [-- --namespace zeroshop]
Removes the shop and its data from the cluster of KUBECONFIG.`

await run(async () => {
  const { values } = readArguments(usage, {
    options: {
      namespace: { type: 'string', default: 'zeroshop' },
    },
  })
  console.log(pc.dim(`Removing the namespace ${values.namespace} and everything in it …`))
  await kubectl(['delete', 'namespace', values.namespace, '--ignore-not-found', '--wait', '--timeout=300s'])
  // volumes that outlive their claims
  await kubectl([
    'delete',
    'pv',
    '-l',
    `zeroshop.dev/namespace=${values.namespace}`,
    '--ignore-not-found',
    '--wait',
  ])
  // what its monitoring has outside of the namespace
  await kubectl([
    'delete',
    'namespace',
    logNamespaceOf(values.namespace),
    '--ignore-not-found',
    '--wait=false',
  ])
  await kubectl([
    'delete',
    'clusterroles,clusterrolebindings',
    '-l',
    `zeroshop.dev/namespace=${values.namespace}`,
    '--ignore-not-found',
  ])
  await stopObserving(values.namespace)
  console.log('The shop and its data are removed.')
})
