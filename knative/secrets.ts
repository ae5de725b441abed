import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { secretsFolder } from '../compose/secrets.ts'
import { monitoringSecrets, poolerSecrets, secretsOf, serviceSecrets } from '../functions/deployment.ts'
import { domainNames } from '../functions/table.ts'

const filesOf = (secrets: Readonly<Record<string, string>>) => Object.values(secrets)

/**
 * The files of `npm run secrets` that each Kubernetes Secret contains. A pod that mounts a Secret sees only
 * the files in it.
 */
export const secrets: Record<string, string[]> = {
  ...Object.fromEntries(domainNames.map((domain) => [domain, filesOf(secretsOf(domain))])),
  ...Object.fromEntries(Object.entries(serviceSecrets).map(([name, files]) => [name, filesOf(files)])),
  migrate: filesOf({ ...serviceSecrets.migrate, ...poolerSecrets, ...monitoringSecrets }),
  postgres: ['postgres-password'],
  pgbouncer: ['pgbouncer-users'],
  mongodb: ['mongodb-password'],
  nats: ['nats-authorization'],
  'store-exporters': ['monitoring-password'],
  'check-books': ['monitoring-database-url'],
  grafana: ['grafana-admin-password'],
}

/** The certificate of the authority of managed stores, if they have one of their own. */
const authority = 'stores-ca.crt'

/**
 * Returns the Secrets as resources to apply. They are never written to a file. Each that contains the URL of a store
 * also contains the certificate of the stores’ authority, if the folder has one.
 * @param webhook where alerts are posted
 */
export function secretObjects(
  namespace: string,
  folder = secretsFolder,
  webhook = process.env['ALERT_WEBHOOK_URL'],
) {
  const authorities = existsSync(join(folder, authority)) ? [authority] : []
  const withAuthority = (files: string[]) =>
    files.some((file) => file.endsWith('-url')) ? [...files, ...authorities] : files
  const secret = (name: string, stringData: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/part-of': 'zeroshop' } },
    type: 'Opaque',
    stringData,
  })
  const made = Object.entries(secrets).map(([name, files]) =>
    secret(
      name,
      Object.fromEntries(
        withAuthority(files).map((file) => [file, readFileSync(join(folder, file), 'utf8').trim()]),
      ),
    ),
  )
  return webhook === undefined ? made : [...made, secret('alertmanager', { 'webhook-url': webhook })]
}
