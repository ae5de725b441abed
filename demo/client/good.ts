import { UserError } from '../../functions/shared/process/user-error.ts'
import type { Schemas } from './client.ts'

/** A response that is not a success. */
export class ApiError extends UserError {
  override name = 'ApiError'
  readonly status: number
  /** The problem's type (RFC 9457); undefined if the response is not a problem document. */
  readonly type: string | undefined
  readonly detail: string | undefined

  constructor({ status, url }: Response, body: unknown) {
    const { type, title, detail }: Partial<Schemas['Problem']> = isObject(body) ? body : {}
    super(
      `${url} returned ${status}: ${type === undefined ? String(body) : [type, detail ?? title].join(', ')}`,
    )
    this.status = status
    this.type = type
    this.detail = detail
  }
}

const isObject = (body: unknown) => typeof body === 'object' && body !== null

interface Answer {
  data?: unknown
  error?: unknown
  response: Response
}

/** Returns the body of a successful response. @throws ApiError if the response is not a success */
export async function good<A extends Answer>(answer: Promise<A>): Promise<NonNullable<A['data']>> {
  const { data, error, response } = await answer
  if (!response.ok) throw new ApiError(response, error)
  // a successful response has the body that its operation declares
  return data as NonNullable<A['data']>
}
