import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { domainNames, operations, type Domain, type OperationName } from '../../functions/table.ts'
import type { AnyFixtures, BadValues, Bodies, Resource } from './fixtures.ts'
import { contractOf, parametersOf, resourcePathOf, rows, takesBody, type Row } from './operations.ts'

/** The fixtures of every domain. */

const none: AnyFixtures = { bodies: {}, resources: {} }

const fileOf = (domain: Domain) => `functions/${domain}/fixtures.ts`

const known = new Map<Domain, AnyFixtures>()
for (const domain of domainNames)
  if (existsSync(join(import.meta.dirname, '../..', fileOf(domain))))
    known.set(domain, (await import(`../../functions/${domain}/fixtures.ts`)).default)

export const fixturesOf = (domain: Domain): AnyFixtures => known.get(domain) ?? none

/** Invalid values of path parameters, by name. */
const badValues: Readonly<Record<string, BadValues>> = {
  id: {
    values: ['x', '1', '%20', '%ff', '%zz', 'null', '01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4', "'--"],
    detail: 'Invalid UUID',
  },
  sku: {
    values: ['-', '%20', 'a%2Fb', '%00', '%ff', 'ä', 'a'.repeat(65)],
    detail: 'letters, digits, dot, dash and underscore, at most 64',
  },
}

export const bodiesOf = (name: OperationName): Bodies => {
  const { domain } = operations[name]
  return made(fixturesOf(domain).bodies[name]) ?? lacking(domain)
}

const made = (bodies: AnyFixtures['bodies'][string]): Bodies | undefined =>
  typeof bodies === 'function' ? bodies() : bodies

/** Returns the resource that an operation's path names, or undefined if the path has no parameter. */
export function resourceOf({ domain, path }: Row): Resource | undefined {
  const resourcePath = resourcePathOf(path)
  if (resourcePath === undefined) return undefined
  return fixturesOf(domain).resources[resourcePath] ?? lacking(domain)
}

function lacking(domain: Domain): never {
  throw new Error(faultsOf(domain).join('\n'))
}

export const badValuesOf = (domain: Domain, parameter: string): BadValues | undefined =>
  fixturesOf(domain).parameters?.[parameter] ?? badValues[parameter]

/** Checks a domain's fixtures. Returns a line for each fault that says what to change. */
export function faultsOf(domain: Domain, { bodies, resources } = fixturesOf(domain)): string[] {
  const own = rows.filter(([, row]) => row.domain === domain)
  const paths = new Set(own.flatMap(([, { path }]) => resourcePathOf(path) ?? []))
  const parameters = new Set([...paths].flatMap(parametersOf))
  return [
    ...own.flatMap(([name, row]) => bodyFaults(name, row, made(bodies[name]))),
    ...[...paths]
      .filter((path) => resources[path] === undefined)
      .map((path) => `add what ${path} names, as resources: { '${path}': { create, notFound } }`),
    ...Object.keys(resources)
      .filter((path) => !paths.has(path))
      .map((path) => `remove resources['${path}']: no operation has this path`),
    ...[...parameters]
      .filter((name) => badValuesOf(domain, name) === undefined)
      .map((name) => `add what {${name}} must not be, as parameters: { ${name}: { values: […], detail } }`),
  ].map((fault) => `${fileOf(domain)}${known.has(domain) ? '' : ' (a new file)'}: ${fault}`)
}

function bodyFaults(name: OperationName, row: Row, bodies: readonly object[] | undefined): string[] {
  const contract = contractOf(name)
  if (!takesBody(row, contract)) return bodies ? [`remove bodies['${name}']: it takes no body`] : []
  if (bodies === undefined)
    return [`add two valid bodies that differ, as bodies: { '${name}': [{ … }, { … }] }`]
  if (JSON.stringify(bodies[0]) === JSON.stringify(bodies[1])) return [`the bodies of ${name} must differ`]
  return bodies.flatMap((body) => {
    const { error } = contract.request.body!.safeParse(body)
    return error ? [`a body of ${name} is not valid: ${z.prettifyError(error)}`] : []
  })
}
