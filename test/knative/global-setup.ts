import { spawnSync } from 'node:child_process'
import { root } from '../../images/docker.ts'

// tests send more than people do
const env = { ...process.env, LIMITS_FACTOR: '0' }

const run = (...args: string[]) =>
  spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status

/** Deploys the shop to the cluster that KUBECONFIG names, and removes it afterwards. */
export default function setup() {
  if (run('knative/deploy.ts', '--overlay', 'local') !== 0) {
    run('knative/undeploy.ts')
    throw new Error('the shop could not be deployed')
  }
  return () => {
    run('knative/undeploy.ts')
  }
}
