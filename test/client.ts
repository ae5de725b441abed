import type { Middleware } from '../demo/client/client.ts'
import { shopClient } from '../demo/client/shop.ts'
import { checkAnswer } from './openapi.ts'
import { read } from './shop.ts'

/**
 * A client for tests of a shop, wherever it runs. Each answer is checked against the OpenAPI document.
 * @param url of the shop, without a path
 * @param demoPassword of the people that are there from the start
 */
export function testClient(url: string, demoPassword: string) {
  const shop = shopClient(url, [checkAnswers])
  return {
    ...shop,
    staff: () => shop.logIn({ email: 'staff@example.com', password: demoPassword }),
    /** For requests while something fails: a gateway's answer need not be that of an operation. */
    unchecked: shopClient(url),
  }
}

export type TestClient = ReturnType<typeof testClient>

const checkAnswers: Middleware = {
  async onResponse({ request, response }) {
    checkAnswer(request.method, new URL(request.url).pathname, await readCopy(response))
  },
}

/** A stream is left alone, since it need not end. */
const readCopy = (response: Response) =>
  response.headers.get('content-type') === 'text/event-stream'
    ? { status: response.status, headers: response.headers, text: '', body: undefined }
    : read(response.clone())
