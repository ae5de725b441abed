import { Alias, Document, isMap, isScalar, visit, type YAMLMap } from 'yaml'
import type { DomainSetting } from '../functions/shared/domain.ts'
import { telemetrySettings } from '../functions/shared/process/config.ts'
import { isCore, listens, networksOf, secretsOf, servicesOf } from '../functions/deployment.ts'
import {
  domainNames,
  domains,
  functions,
  functionsOf,
  operations,
  type Domain,
  type FunctionName,
} from '../functions/table.ts'
import { storeWaitSeconds } from './platform.ts'

/** Returns compose/compose.yaml: a container for each function. */
export function composeFile(): string {
  return compose(
    [
      'A container for each function. The stores and the other services are in platform.yaml.',
      'Profiles: `core` contains what an order needs, `rest` the other functions. .env activates both.',
    ],
    Object.fromEntries(names.map((name) => [name, functionService(name)])),
  )
}

/** Returns compose/compose.grouped.yaml: a container for each domain. */
export function groupedComposeFile(): string {
  return compose(
    [
      'A container for each domain, for small machines. The names of its functions are its network aliases.',
      'The stores and the other services are in platform.yaml.',
    ],
    Object.fromEntries(domainNames.map((domain) => [domain, domainService(domain)])),
  )
}

/**
 * Returns compose/compose.redis.yaml: what is added to compose.yaml if requests are counted in Redis and, with the profile
 * `cache`, its admin page.
 */
export function redisComposeFile(): string {
  const counted = {
    environment: { REDIS_URL_FILE: '/run/secrets/redis-url' },
    secrets: ['redis-url'],
    networks: ['redis'],
  }
  const document = new Document({
    'x-counted': counted,
    services: {
      redis: redis(),
      'redis-commander': redisCommander(),
      gateway: {
        configs: [inline({ source: 'cache-page', target: '/etc/caddy/extra/cache.caddy' })],
        secrets: ['gateway-admin-hash'],
      },
      ...Object.fromEntries(Object.keys(operations).map((name) => [name, new Alias('counted')])),
    },
    networks: { redis: { internal: true } },
    configs: { 'cache-page': { file: 'cache.caddy' } },
    secrets: Object.fromEntries(
      ['redis-url', 'redis-conf', 'redis-password', 'gateway-admin-hash'].map((name) => [
        name,
        { file: `secrets/${name}` },
      ]),
    ),
  })
  ;((document.contents as YAMLMap).get('x-counted') as YAMLMap).anchor = 'counted'
  return written(document, [
    'Counts the requests of callers in Redis (Valkey), instead of in the store of each domain.',
    'From the root: npm run compose -- --redis or, with an admin page, npm run compose -- --profile cache.',
  ])
}

/** What every container has that waits for no store. */
function hardened() {
  const { depends_on: _, ...rest } = parts().function
  return rest
}

/** Returns the health check of a container that is well while it listens on the port. */
const listensOn = (port: number) => ({
  test: ['CMD', 'grep', '-q', `:${port.toString(16).toUpperCase()} .* 0A `, '/proc/net/tcp'],
  interval: '10s',
  timeout: '5s',
  start_period: '30s',
  start_interval: '1s',
})

/** Its data is not kept: the counts are good for a minute. */
const redis = () => ({
  ...hardened(),
  image: 'valkey/valkey:8',
  user: '999:1000',
  command: ['valkey-server', '/run/secrets/redis-conf', '--save', ''],
  secrets: ['redis-conf'],
  networks: ['redis'],
  healthcheck: listensOn(6379),
})

/** Shows what is in Redis, and changes nothing. The gateway has the login (cache.caddy). */
const redisCommander = () => ({
  ...hardened(),
  image: 'ghcr.io/joeferner/redis-commander:0.9.0',
  user: '10000:10000',
  profiles: ['cache'],
  environment: {
    REDIS_HOST: 'redis',
    REDIS_PORT: '6379',
    REDIS_PASSWORD_FILE: '/run/secrets/redis-password',
    URL_PREFIX: '/_cache',
    READ_ONLY: 'true',
  },
  secrets: ['redis-password'],
  networks: ['redis', 'edge'],
  healthcheck: listensOn(8081),
})

const names = Object.keys(functions) as FunctionName[]

const functionService = (name: FunctionName) => ({
  ...container(name, functions[name].domain),
  profiles: [isCore(name) ? 'core' : 'rest'],
  networks: [entrance(name), ...backends(functions[name].domain, [name])],
})

function domainService(domain: Domain) {
  const called = (name: FunctionName) => {
    const row = functions[name]
    return [entrance(name), ...('calledFrom' in row && row.calledFrom !== undefined ? [row.calledFrom] : [])]
  }
  const aliases = (network: string) => {
    const list = functionsOf(domain).filter((name) => called(name).includes(network))
    return list.length === 0 ? {} : { [network]: { aliases: list } }
  }
  return {
    ...container(domain, domain),
    networks: {
      ...aliases('edge'),
      ...aliases('events'),
      ...Object.fromEntries(
        backends(domain, functionsOf(domain)).map((network) => [
          network,
          aliases(network)[network] ?? inline({}),
        ]),
      ),
    },
  }
}

const container = (name: string, domain: Domain) => ({
  '<<': new Alias(domain),
  image: `zeroshop/${name}:\${TAG:-latest}`,
  build: inline({ '<<': new Alias('build'), args: { FUNCTION: name } }),
})

/** The network on which a function receives requests or events. */
const entrance = (name: FunctionName) => (name in operations ? 'edge' : 'events')

/**
 * Returns the networks on which some of a domain's functions reach its store, or the pooler in front of it,
 * and other services.
 */
const backends = (domain: Domain, names: FunctionName[]) => [
  domains[domain].store === 'postgres' ? 'pgbouncer' : domains[domain].store,
  ...(names.some(listens) ? ['postgres'] : []),
  ...new Set(names.flatMap(networksOf)),
]

/** The secrets of a domain's functions, as settings with the paths of their files. */
const secretFiles = (domain: Domain) =>
  Object.fromEntries(
    Object.entries(secretsOf(domain))
      // this one is in the shared settings
      .filter(([setting]) => setting !== 'JWT_PUBLIC_KEYS')
      .map(([setting, file]) => [`${setting}_FILE`, `/run/secrets/${file}`]),
  )

/** The domain's settings that have a default: whoever runs Compose may set them. */
const optional = (domain: Domain) =>
  Object.fromEntries(
    Object.entries<DomainSetting>(domains[domain].settings ?? {})
      .filter(([, { secret, service }]) => secret === undefined && service === undefined)
      .map(([setting]) => [setting, `\${${setting}:-}`]),
  )

/** The part that all containers of a domain share. */
const domainPart = (domain: Domain) => ({
  '<<': new Alias('function'),
  environment: {
    '<<': new Alias('settings'),
    ...secretFiles(domain),
    ...Object.fromEntries(
      Object.entries(servicesOf(domain)).map(([setting, address]) => [setting, `\${${setting}:-${address}}`]),
    ),
    ...optional(domain),
  },
  secrets: Object.values(secretsOf(domain)),
})

/** The parts that the services merge. Each becomes `x-NAME: &NAME`. */
const parts = () => ({
  build: { context: '..', dockerfile: 'compose/Dockerfile', target: 'function' },
  function: {
    restart: 'unless-stopped',
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    mem_limit: '256m',
    pids_limit: 100,
    stop_grace_period: '10s',
    logging: inline({
      driver: 'json-file',
      options: {
        'max-size': '10m',
        'max-file': '3',
        labels: 'com.docker.compose.project,com.docker.compose.service',
      },
    }),
    depends_on: {
      migrate: inline({ condition: 'service_completed_successfully' }),
      pgbouncer: inline({ condition: 'service_healthy' }),
    },
  },
  settings: {
    LOG_LEVEL: '${LOG_LEVEL:-info}',
    FUNCTION_URL: 'http://{function}:8080',
    STORE_WAIT_SECONDS: storeWaitSeconds,
    // the gateway, which sends only the address of the client
    TRUSTED_PROXIES: '1',
    LIMITS_FACTOR: '${LIMITS_FACTOR:-1}',
    JWT_PUBLIC_KEYS_FILE: '/run/secrets/jwt-public-keys',
    // without a value, Compose passes them on if they are set
    ...Object.fromEntries(telemetrySettings.map((name) => [name, null])),
  },
  ...Object.fromEntries(domainNames.map((domain) => [domain, domainPart(domain)])),
})

/** Returns a Compose file with the given services, and with everything that both files share. */
function compose(comment: string[], services: Record<string, unknown>): string {
  const document = new Document({
    name: 'zeroshop',
    include: [{ path: ['platform.yaml', 'monitoring.yaml'] }],
    ...Object.fromEntries(Object.entries(parts()).map(([name, part]) => [`x-${name}`, part])),
    services,
  })
  const root = document.contents as YAMLMap
  for (const name of Object.keys(parts())) (root.get(`x-${name}`) as YAMLMap).anchor = name
  return written(document, [
    ...comment,
    'From the root: npm run secrets, then docker compose -f compose/… up --wait; npm run compose does both.',
  ])
}

function written(document: Document, comment: string[]): string {
  visit(document, { Seq: (_key, list) => void (list.flow = list.items.length <= 5) })
  const root = document.contents as YAMLMap
  spread(root)
  spread(root.get('services') as YAMLMap)
  document.commentBefore = [
    "Generated from the domains' declarations by npm run generate (compose/compose-file.ts).",
    ...comment,
  ]
    .map((line) => ` ${line}`)
    .join('\n')
  return document.toString({ lineWidth: 0, nullStr: '' })
}

/** Returns an object as a node that is written on one line. */
const inline = (value: object) => new Document().createNode(value, { flow: true })

/** Puts an empty line before each object in the map. */
function spread(map: YAMLMap) {
  for (const { key, value } of map.items.slice(1)) if (isScalar(key) && isMap(value)) key.spaceBefore = true
}
