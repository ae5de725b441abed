import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { secretsFolder } from '../compose/secrets.ts'
import { poolerSecrets, secretsOf, serviceSecrets } from '../functions/deployment.ts'
import { domainNames } from '../functions/table.ts'

const filesOf = (secrets: Readonly<Record<string, string>>) => Object.values(secrets)

/**
 * The files of `npm run secrets` that each Kubernetes Secret contains. A pod that mounts a Secret sees only
 * the files in it.
 */
export const secrets: Record<string, string[]> = {
  ...Object.fromEntries(domainNames.map((domain) => [domain, filesOf(secretsOf(domain))])),
  ...Object.fromEntries(Object.entries(serviceSecrets).map(([name, files]) => [name, filesOf(files)])),
  migrate: filesOf({ ...serviceSecrets.migrate, ...poolerSecrets }),
  postgres: ['postgres-password'],
  pgbouncer: ['pgbouncer-users'],
  mongodb: ['mongodb-password'],
  nats: ['nats-authorization'],
}

/** Returns the Secrets as resources to apply. They are never written to a file. */
export function secretObjects(namespace: string, folder = secretsFolder) {
  return Object.entries(secrets).map(([name, files]) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/part-of': 'zeroshop' } },
    type: 'Opaque',
    stringData: Object.fromEntries(
      files.map((file) => [file, readFileSync(join(folder, file), 'utf8').trim()]),
    ),
  }))
}
