import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fillMarked } from './marked.ts'
import {
  databaseUrl,
  deliveryKeys,
  directRoles,
  directUrl,
  domainSecrets,
  fileOf,
  monitoringSecrets,
  mongodbUrls,
  poolerSecrets,
  serviceSecrets,
} from '../functions/deployment.ts'
import { telemetrySettings } from '../functions/shared/process/config.ts'
import { databaseRoles, domainNames } from '../functions/table.ts'

const mounted = (secrets: Readonly<Record<string, string>>, ...more: string[]) => [
  'environment:',
  ...more.map((line) => `  ${line}`),
  ...Object.entries(secrets).map(([setting, file]) => `  ${setting}_FILE: /run/secrets/${file}`),
  `secrets: [${Object.values(secrets).join(', ')}]`,
]

/** The settings of telemetry. Without a value, Compose passes them on if they are set. */
const observed = telemetrySettings.map((name) => `${name}:`)

/**
 * How long a container waits for its store, in seconds. All of them start at once, which takes minutes on a small
 * machine; one that gives up only starts again.
 */
export const storeWaitSeconds = '300'

/** The settings that relay and dispatcher share. */
const ofDelivery = ['LOG_LEVEL: ${LOG_LEVEL:-info}', `STORE_WAIT_SECONDS: '${storeWaitSeconds}'`]

/** The files of the domains' secrets. */
const domainFiles = [
  ...databaseRoles.map(databaseUrl),
  ...directRoles.map(directUrl),
  ...mongodbUrls,
  ...deliveryKeys,
  ...domainNames.flatMap(domainSecrets).map(({ setting }) => setting),
].map(fileOf)

/** Returns compose/platform.yaml with its generated parts, which depend on the domains. */
export function platformFile(): string {
  const text = readFileSync(join(import.meta.dirname, 'platform.yaml'), 'utf8')
  const places: [name: string, lines: string[]][] = [
    ['migrate', mounted({ ...serviceSecrets.migrate, ...poolerSecrets, ...monitoringSecrets })],
    ['relay', mounted(serviceSecrets.relay, ...ofDelivery, ...observed)],
    [
      'dispatcher',
      mounted(serviceSecrets.dispatcher, ...ofDelivery, 'FUNCTION_URL: http://{function}:8080', ...observed),
    ],
    [
      'payment-sandbox',
      mounted(
        serviceSecrets['payment-sandbox'],
        'PAYMENT_SANDBOX_JOURNAL: /data/journal.jsonl',
        'FUNCTION_URL: http://{function}:8080',
        ...observed,
      ),
    ],
    ['secrets', domainFiles.map((file) => `${file}: { file: secrets/${file} }`)],
  ]
  return places.reduce((text, [name, lines]) => fillMarked(text, name, lines), text)
}
