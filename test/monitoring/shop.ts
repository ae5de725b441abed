import { dockerRoot, dockerSays } from '../../images/docker.ts'
import { makeSecrets } from '../../compose/secrets.ts'
import { buildImages, composeShop } from '../compose/shop.ts'
import { hurriedFolder, hurry } from './hurry.ts'

const ports = { PROMETHEUS_PORT: 18_290, ALERTMANAGER_PORT: 18_293, LOGS_PORT: 18_228, JAEGER_PORT: 18_286 }

/** The addresses of what watches the shop; `sink` keeps traces and alerts (sink.mts). */
export const urls = {
  prometheus: `http://127.0.0.1:${ports.PROMETHEUS_PORT}`,
  logs: `http://127.0.0.1:${ports.LOGS_PORT}`,
  sink: `http://127.0.0.1:${ports.JAEGER_PORT}`,
}

/** A shop with what an order needs, and all that watches it. */
export const shop = composeShop(
  'zeroshop-watched',
  ['compose.yaml', '../test/monitoring/compose.yaml'],
  18_200,
  {
    COMPOSE_PROFILES: 'core,monitoring,logging',
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
    DOCKER_ROOT: await dockerRoot(),
    HURRIED: hurriedFolder,
    ALERTS_TO: 'webhook',
    ALERT_WEBHOOK_URL: 'http://sink:4318/alerts',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    OTEL_METRIC_EXPORT_INTERVAL: '2000',
    LOG_REQUESTS: 'true',
  },
)

/** Starts everything from nothing. */
export async function start(): Promise<void> {
  await makeSecrets()
  buildImages()
  hurry()
  await shop.start()
}

/** Runs a statement as the administrator of PostgreSQL. Returns what psql prints. */
export const sql = (statement: string) =>
  shop.compose(
    ...'exec -T postgres psql -qAt -h /var/run/postgresql -U postgres -d zeroshop -c'.split(' '),
    statement,
  )

/** Stops a container's processes where they are, until `resume`. */
export const pause = async (service: string) => dockerSays(['pause', (await shop.container(service)).Name])
export const resume = async (service: string) => dockerSays(['unpause', (await shop.container(service)).Name])
