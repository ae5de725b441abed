import { Problem } from '../shared/http/problems.ts'
import { faultOfUrl, type Outside } from './public-post.ts'

/** @throws Problem 400 if webhooks cannot go to the URL */
export function checkUrl(url: string | undefined, outside: Outside): void {
  const fault = url === undefined ? undefined : faultOfUrl(url, outside)
  if (fault !== undefined)
    throw new Problem('invalid-request', {
      detail: 'Webhooks cannot go to this URL.',
      errors: [{ pointer: '/body/url', detail: fault }],
    })
}
