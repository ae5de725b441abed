import { spawnSync } from 'node:child_process'
import { root } from '../../images/docker.ts'

// tests send more than people do
const env = { ...process.env, LIMITS_FACTOR: '0' }

const run = (...args: string[]) =>
  spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status

/** DEPLOY_WITH may name more components, such as one that leaves out what the cluster cannot run. */
const components = process.env['DEPLOY_WITH'] ?? 'monitoring,logging'

/** Deploys the shop to the cluster that KUBECONFIG names, and removes it afterwards. */
export default function setup() {
  if (run('knative/deploy.ts', '--overlay', 'local', '--with', components) !== 0) {
    run('knative/undeploy.ts')
    throw new Error('the shop could not be deployed')
  }
  return () => {
    run('knative/undeploy.ts')
  }
}
