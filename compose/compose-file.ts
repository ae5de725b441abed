import { functions, operations, stores, type Domain, type FunctionName } from '../functions/functions.ts'

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

const domains = Object.keys(stores) as Domain[]

const head = (
  what: string,
) => `# Generated from functions/functions.ts by npm run generate (compose/compose-file.ts).
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
  const store = stores[domain] === 'mongodb' ? 'mongodb-url' : `${domain}-database-url`
  const secrets = ['jwt-public-keys', store]
  const environment = [
    `${stores[domain] === 'mongodb' ? 'MONGODB_URL' : 'DATABASE_URL'}_FILE: /run/secrets/${store}`,
  ]
  if (domain === 'users') {
    secrets.push('jwt-private-key')
    environment.push('JWT_PRIVATE_KEY_FILE: /run/secrets/jwt-private-key')
  }
  if (domain === 'payments') {
    secrets.push('payment-provider-key')
    environment.push(
      'PAYMENT_PROVIDER_URL: http://payment-sandbox:8080',
      'PAYMENT_PROVIDER_KEY_FILE: /run/secrets/payment-provider-key',
    )
  }
  return `
x-${domain}: &${domain}
  <<: *function
  environment:
    <<: *settings
${environment.map((line) => `    ${line}\n`).join('')}  secrets: [${secrets.join(', ')}]
`
}

const storesOf = (domain: Domain) => [stores[domain], ...(domain === 'payments' ? ['provider'] : [])]

/** Whether an order needs the function; every reaction is, since an event that no one takes is a dead letter. */
const isCore = (name: FunctionName) => 'on' in functions[name] || 'core' in functions[name]
