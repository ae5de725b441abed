import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { databaseRoles } from '../functions/functions.ts'
import { secretsFolder } from '../compose/secrets.ts'

/** Which of the files of `npm run secrets` each Kubernetes Secret holds: who mounts it sees these, and no others. */
export const secrets: Record<string, string[]> = {
  users: ['jwt-public-keys', 'jwt-private-key', 'users-database-url'],
  products: ['jwt-public-keys', 'mongodb-url'],
  stock: ['jwt-public-keys', 'stock-database-url'],
  orders: ['jwt-public-keys', 'orders-database-url'],
  payments: ['jwt-public-keys', 'payments-database-url', 'payment-provider-key'],
  relay: ['events-database-url', 'orders-database-url', 'mongodb-url', 'nats-url'],
  dispatcher: ['events-database-url', 'nats-url'],
  migrate: [
    'admin-database-url',
    ...databaseRoles.map((role) => `${role}-database-url`),
    'admin-mongodb-url',
    'mongodb-url',
    'demo-password',
  ],
  'payment-sandbox': ['payment-provider-key'],
  postgres: ['postgres-password'],
  mongodb: ['mongodb-password'],
  nats: ['nats-authorization'],
}

/** The Secrets as objects to apply; they are never written to a file. */
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
