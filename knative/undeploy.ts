/** `npm run undeploy`: removes the shop from the cluster, with its data. */
import { parseArgs } from 'node:util'
import pc from 'picocolors'
import { kubectl, KubectlError } from './kubectl.ts'

try {
  const { values } = parseArgs({ options: { namespace: { type: 'string', default: 'zeroshop' } } })
  console.log(pc.dim(`Removing the namespace ${values.namespace} and all that is in it …`))
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
  console.log('Nothing of it is left.')
} catch (error) {
  console.error(error instanceof KubectlError ? pc.red(error.message) : error)
  process.exitCode = 1
}
