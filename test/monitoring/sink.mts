/** Runs in a container: keeps what is posted to it, and answers with what was posted to the same path. */
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'

/** That of OTLP, and that of Jaeger's page. */
const ports = [4318, 16686]
const kept = new Map<string, string[]>()

for (const port of ports)
  createServer((request, response) => {
    void text(request).then((body) => {
      const url = request.url!
      const bodies = kept.get(url) ?? []
      if (request.method === 'POST') kept.set(url, [...bodies, body])
      const answer = request.method === 'POST' ? '{}' : `[${bodies.join(',')}]`
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer)
    })
  }).listen(port)

process.once('SIGTERM', () => process.exit(0))
