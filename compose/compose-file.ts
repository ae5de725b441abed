import { secretsOf, servicesOf } from '../functions/deployment.ts'
import {
  domainNames,
  domains as declarations,
  functions,
  operations,
  type Domain,
  type FunctionName,
} from '../functions/table.ts'

/** compose/compose.yaml: a container for each function. */
export function composeFile(): string {
  const names = Object.keys(functions) as FunctionName[]
  const services = names.map((name) => {
    const { domain } = functions[name]
    return `  ${name}:
    <<: *${domain}
    image: zeroshop/${name}:\${TAG:-latest}
    build: { <<: *build, args: { FUNCTION: ${name} } }
    profiles: [${isCore(name) ? 'core' : 'rest'}]
    networks: [${[name in operations ? 'edge' : 'events', ...storesOf(domain)].join(', ')}]
`
  })
  return `${head('A container for each function.')}
# Profiles: \`core\` is what an order needs, \`rest\` the other functions; .env starts both.

${anchors()}
services:
${services.join('\n')}`
}

/** compose/compose.grouped.yaml: a container for each domain. */
export function groupedComposeFile(): string {
  const services = domains.map((domain) => {
    const names = (Object.keys(functions) as FunctionName[]).filter(
      (name) => functions[name].domain === domain,
    )
    const network = (name: string, of: FunctionName[]) =>
      of.length === 0 ? '' : `      ${name}:\n        aliases: [${of.join(', ')}]\n`
    const called = names.filter((name) => name in operations)
    const told = names.filter((name) => !(name in operations))
    return `  ${domain}:
    <<: *${domain}
    image: zeroshop/${domain}:\${TAG:-latest}
    build: { <<: *build, args: { FUNCTION: ${domain} } }
    networks:
${network('edge', called)}${network('events', told)}${storesOf(domain)
      .map((store) => `      ${store}: {}\n`)
      .join('')}`
  })
  return `${head('A container for each domain, for small machines: it answers to the names of its functions.')}
${anchors()}
services:
${services.join('\n')}`
}

const domains = domainNames

const head = (
  what: string,
) => `# Generated from the domains' declarations by npm run generate (compose/compose-file.ts).
# ${what} What runs beside them is in platform.yaml.
# From the root: npm run secrets, then docker compose -f compose/… up --wait; or npm run compose does both.

name: zeroshop
include: [platform.yaml]
`

/** What the services of a domain have in common. */
const anchors = () => `x-build: &build
  context: ..
  dockerfile: compose/Dockerfile
  target: function

x-function: &function
  restart: unless-stopped
  read_only: true
  cap_drop: [ALL]
  security_opt: ['no-new-privileges:true']
  mem_limit: 256m
  pids_limit: 100
  stop_grace_period: 10s
  logging: { driver: json-file, options: { max-size: 10m, max-file: '3' } }
  depends_on:
    migrate: { condition: service_completed_successfully }

x-settings: &settings
  LOG_LEVEL: \${LOG_LEVEL:-info}
  FUNCTION_URL: http://{function}:8080
  JWT_PUBLIC_KEYS_FILE: /run/secrets/jwt-public-keys
${domains.map(anchor).join('')}`

function anchor(domain: Domain): string {
  const secrets = secretsOf(domain)
  const environment = [
    ...Object.entries(secrets).flatMap(([setting, file]) =>
      // among the settings that all share
      setting === 'JWT_PUBLIC_KEYS' ? [] : [`${setting}_FILE: /run/secrets/${file}`],
    ),
    ...Object.entries(servicesOf(domain)).map(([setting, address]) => `${setting}: ${address}`),
  ]
  return `
x-${domain}: &${domain}
  <<: *function
  environment:
    <<: *settings
${environment.map((line) => `    ${line}\n`).join('')}  secrets: [${Object.values(secrets).join(', ')}]
`
}

/** The networks of a domain's functions: of its store, and what else it reaches. */
const storesOf = (domain: Domain) => [declarations[domain].store, ...(declarations[domain].networks ?? [])]

/** Whether an order needs the function; every reaction is, since an event that no one takes is a dead letter. */
const isCore = (name: FunctionName) => 'on' in functions[name] || 'core' in functions[name]
