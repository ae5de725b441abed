/** `npm run generate`: writes the files that are made from the table and the schemas. A test checks them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { caddyfile } from '../compose/caddyfile.ts'
import { composeFile, groupedComposeFile, redisComposeFile } from '../compose/compose-file.ts'
import { platformFile } from '../compose/platform.ts'
import { dashboardFiles } from '../grafana/dashboards.ts'
import { kustomization } from '../grafana/kustomization.ts'
import { ruleFiles } from '../grafana/rules.ts'
import { run } from '../functions/shared/process/run.ts'
import { readArguments } from '../local/commands/arguments.ts'
import { manifests } from '../knative/manifests.ts'
import { bakeFile } from '../images/bake-file.ts'
import { apiTypes } from './api-types.ts'
import { asyncApiDocument, eventSchemas } from './asyncapi.ts'
import { readMeasured } from './capacity/measured.ts'
import { capacityPage } from './capacity/page.ts'
import { eventMap } from './event-map.ts'
import { domainTable, functionPage } from './function-table.ts'
import { generateMigrations } from './migrations.ts'
import { openApiDocument } from './openapi.ts'
import { telemetryPage } from './telemetry-page.ts'

/** The contents of every generated file, by its path in the project. */
export async function generated(): Promise<Map<string, string>> {
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
  const openApi = json(await openApiDocument())
  return new Map([
    ['README.md', await readme()],
    ['docs/events.md', await markdown(eventMap())],
    ['docs/functions.md', await markdown(functionPage())],
    ['docs/capacity.md', await markdown(await capacityPage(readMeasured()))],
    ['docs/telemetry.md', await markdown(telemetryPage())],
    ['docs/openapi.json', openApi],
    ['docs/api.d.ts', await apiTypes(openApi)],
    ['docs/asyncapi.json', json(asyncApiDocument())],
    ['images/docker-bake.hcl', bakeFile()],
    ['compose/Caddyfile', caddyfile('compose')],
    ...(await formatted(manifests())),
    ...dashboardFiles(),
    ...(await formatted(new Map([...ruleFiles(), kustomization()]))),
    ['compose/compose.yaml', await yaml(composeFile())],
    ['compose/platform.yaml', await yaml(platformFile())],
    ['compose/compose.grouped.yaml', await yaml(groupedComposeFile())],
    ['compose/compose.redis.yaml', await yaml(redisComposeFile())],
    ...Object.entries(eventSchemas()).map(
      ([type, schema]) => [`events/schemas/${type}.json`, json(schema)] as [string, string],
    ),
  ])
}

const formatted = (files: Map<string, string>) =>
  Promise.all(
    [...files].map(
      async ([path, text]) => [path, path.endsWith('.yaml') ? await yaml(text) : text] as [string, string],
    ),
  )

const style = () => resolveConfig(join(import.meta.dirname, '../package.json'))

export const markdown = async (text: string) => format(text, { ...(await style()), parser: 'markdown' })

const yaml = async (text: string) => {
  return format(text, { ...(await style()), parser: 'yaml' })
}

/** The README with its generated table brought up to date. */
async function readme(): Promise<string> {
  const text = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  const marked = /(<!-- generated: domains -->\n)[\s\S]*(<!-- end -->)/
  return markdown(text.replace(marked, `$1\n${domainTable()}\n\n$2`))
}

const usage = `npm run generate
Writes migrations, OpenAPI, AsyncAPI, JSON Schemas, manifests, Compose files, gateway and documents from the code.`

if (import.meta.main)
  await run(async () => {
    readArguments(usage, {})
    await generateMigrations()
    for (const [path, text] of await generated()) {
      const file = join(import.meta.dirname, '..', path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
  })
