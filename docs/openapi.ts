import { OpenAPIHono } from '@hono/zod-openapi'
import * as z from 'zod'
import { operations, type InDomain, type OperationName } from '../functions/table.ts'
import type { OperationRow } from '../functions/shared/domain.ts'
import { operationOf } from '../functions/source.ts'
import { gatewayProblems } from '../functions/shared/http/gateway-problems.ts'
import type { Contract } from '../functions/shared/http/operation.ts'
import {
  ProblemDocument,
  typeOfProblem,
  type ProblemName,
  type ProblemType,
} from '../functions/shared/http/problems.ts'
import { isOptional } from '../functions/shared/http/validate.ts'
import { keyPattern } from '../functions/shared/store/idempotency.ts'

type Registry = OpenAPIHono['openAPIRegistry']
type Path = Parameters<Registry['registerPath']>[0]

/** Returns the OpenAPI 3.1 document of all operations, made from the table and the contracts. */
export async function openApiDocument() {
  const { openAPIRegistry, getOpenAPI31Document } = new OpenAPIHono()
  openAPIRegistry.registerComponent('securitySchemes', 'accessToken', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'From POST /api/v1/sessions. It is good for 15 minutes.',
  })
  for (const name of Object.keys(operations) as OperationName[]) {
    const contract = await documented((await operationOf(name)).run.contract)
    openAPIRegistry.registerPath(pathOf(name, operations[name], contract))
  }
  return getOpenAPI31Document.call({ openAPIRegistry } as OpenAPIHono, {
    openapi: '3.1.0',
    info: {
      title: 'Zeroshop',
      version: '1.0.0',
      description:
        'A shop back end of small functions. Amounts are integers of minor units; times are RFC 3339 in UTC; problems are RFC 9457 documents. Each answer says how many requests are left: RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
  })
}

/** Returns a contract with what it takes over from another operation. */
async function documented(contract: Contract): Promise<Contract> {
  if (contract.answersAs === undefined) return contract
  const { responses, headers, problems = [] } = (await operationOf(contract.answersAs)).run.contract
  return {
    ...contract,
    responses: { ...responses, ...contract.responses },
    ...(headers && { headers }),
    problems: [...problems, ...(contract.problems ?? [])],
  }
}

function pathOf(name: OperationName, row: InDomain<OperationRow>, contract: Contract): Path {
  const { request, responses } = contract
  const { params, query } = request
  return {
    operationId: name,
    tags: [row.domain],
    summary: row.summary,
    description: whoMayCall(row),
    method: row.method,
    path: row.path,
    ...(row.by === 'anyone' ? {} : { security: [{ accessToken: [] }] }),
    request: {
      // the schemas of parameters are always objects
      ...(params && { params: params as z.ZodObject }),
      ...(query && { query: query as z.ZodObject }),
      ...(request.body && {
        body: {
          required: !isOptional(request.body),
          content: { 'application/json': { schema: request.body } },
        },
      }),
      ...(request.form && {
        body: {
          required: true,
          content: { 'application/x-www-form-urlencoded': { schema: request.form } },
        },
      }),
      ...(request.lines && { body: { required: true, content: linesOf(contract) } }),
    },
    parameters: headersOf(row, contract),
    responses: {
      ...Object.fromEntries(
        Object.entries(responses).map(([status, schema]) => [
          status,
          success(Number(status), schema, contract),
        ]),
      ),
      ...(row.method === 'get' && contract.headers?.includes('ETag')
        ? { 304: { description: 'The client has this version.' } }
        : {}),
      ...problemResponses(problemsOf(row, contract)),
    },
  } as Path
}

/** A body of lines, of which the schema describes one, whatever its format. */
const linesOf = ({ request: { lines }, formats = [] }: Contract) =>
  Object.fromEntries(formats.map(({ type }) => [type, { schema: lines! }]))

const whoMayCall = ({ by }: OperationRow) =>
  by === 'anyone'
    ? 'For anyone.'
    : by === 'user'
      ? 'For anyone logged in.'
      : `For the role ${by.join(' or ')}.`

const header = (name: string, required: boolean, description: string, more: object = {}) => ({
  in: 'header',
  name,
  required,
  description,
  schema: { type: 'string', ...more },
})

function headersOf(
  row: OperationRow,
  { problems = [], headers = [], contentType, requestHeaders = {} }: Contract,
) {
  return [
    ...Object.entries(requestHeaders).map(([name, description]) => header(name, false, description)),
    ...(row.idempotent
      ? [
          header(
            'Idempotency-Key',
            true,
            'A new random key with each new request, the same one with a retry.',
            { pattern: keyPattern.source },
          ),
        ]
      : []),
    ...(problems.includes('if-match-missing') ? [header('If-Match', true, 'The ETag that you read.')] : []),
    ...(row.method === 'get' && headers.includes('ETag')
      ? [header('If-None-Match', false, 'The ETag that you have.')]
      : []),
    ...(contentType === 'text/event-stream' ? [header('Last-Event-ID', false, 'Where to go on.')] : []),
  ]
}

const titles: Record<number, string> = {
  200: 'Done.',
  201: 'Created.',
  204: 'Done; there is nothing to say.',
}

function success(
  status: number,
  schema: z.ZodType | null,
  { headers = [], contentType = 'application/json', otherTypes = [] }: Contract,
) {
  return {
    description: titles[status] ?? '',
    ...responseHeaders(headers),
    ...(schema === null
      ? {}
      : {
          content: {
            [contentType]: { schema },
            ...Object.fromEntries(otherTypes.map((type) => [type, { schema: z.string() }])),
          },
        }),
  }
}

const responseHeaders = (names: readonly string[]) =>
  names.length > 0
    ? { headers: Object.fromEntries(names.map((name) => [name, { schema: { type: 'string' } }])) }
    : {}

/**
 * The problems that a gateway may return for an operation that exists. Only a request that is no GET has a body.
 */
const ofGateway = (row: OperationRow): ProblemType[] =>
  Object.entries(gatewayProblems).flatMap(([name, { status, title }]) =>
    ['not-found', 'method-not-allowed'].includes(name) || (name === 'body-too-large' && row.method === 'get')
      ? []
      : [{ name, status, title }],
  )

/** The problems that the framework may return for an operation, and those that its contract adds. */
export function problemsOf(row: OperationRow, { request, problems = [] }: Contract): ProblemType[] {
  const names: (ProblemName | ProblemType)[] = [
    'malformed-request',
    'not-logged-in',
    'too-many-requests',
    'internal-error',
    'store-unavailable',
    ...problems,
  ]
  if (request.params ?? request.query ?? request.body) names.push('invalid-request')
  if (request.body) names.push('not-json', 'unsupported-charset', 'unsupported-encoding')
  if (request.form) names.push('not-form', 'unsupported-charset', 'unsupported-encoding')
  if (request.lines) names.push('not-lines', 'unsupported-charset', 'unsupported-encoding')
  if (Array.isArray(row.by)) names.push('wrong-role')
  if (row.fresh) names.push('session-ended')
  if (row.streams !== undefined) names.push('too-many-streams')
  if (row.idempotent)
    names.push('idempotency-key-missing', 'idempotency-key-in-flight', 'idempotency-key-reused')
  const all = [...names.map(typeOfProblem), ...ofGateway(row)]
  return [...new Map(all.map((problem) => [problem.name, problem])).values()]
}

/** The headers of every problem with a status. */
const headersOfProblem: Record<number, string[]> = {
  401: ['WWW-Authenticate'],
  429: ['Retry-After', 'RateLimit', 'RateLimit-Policy'],
  503: ['Retry-After'],
}

function problemResponses(types: ProblemType[]) {
  const sorted = types.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return Object.fromEntries(
    [...Map.groupBy(sorted, ({ status }) => status)].map(([status, types]) => [
      status,
      {
        description: types.map(({ name, title }) => `\`${name}\`: ${title}.`).join(' '),
        ...responseHeaders(headersOfProblem[status] ?? []),
        content: { 'application/problem+json': { schema: schemaOf(types) } },
      },
    ]),
  )
}

/** Returns the schema of the problems with one status. Only some of them may have a further member. */
function schemaOf(types: ProblemType[]) {
  const members = types.flatMap(({ members }) => Object.entries(members ?? {}))
  return members.length === 0
    ? ProblemDocument
    : ProblemDocument.extend(Object.fromEntries(members.map(([name, of]) => [name, z.optional(of)])))
}
