import type { Middleware } from '../demo/client/client.ts'
import { shopClient } from '../demo/client/shop.ts'
import { checkAnswer } from './openapi.ts'
import { read } from './shop.ts'

/**
 * A test client of a shop, wherever it runs. It checks each response against the OpenAPI document.
 * @param url the shop's URL, without a path
 * @param demoPassword the password of the seeded users
 */
export function testClient(url: string, demoPassword: string) {
  const shop = shopClient(url, [checkAnswers])
  return {
    ...shop,
    staff: () => shop.logIn({ email: 'staff@example.com', password: demoPassword }),
    /** Does not check responses. For use while something fails and a gateway may respond itself. */
    unchecked: shopClient(url),
  }
}

export type TestClient = ReturnType<typeof testClient>

const checkAnswers: Middleware = {
  async onResponse({ request, response }) {
    checkAnswer(request.method, new URL(request.url).pathname, await readCopy(response))
  },
}

/** Does not read streams, because they may not end. */
const readCopy = (response: Response) =>
  response.headers.get('content-type') === 'text/event-stream'
    ? { status: response.status, headers: response.headers, text: '', body: undefined }
    : read(response.clone())
