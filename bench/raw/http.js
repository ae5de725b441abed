// A minimal server, with which a function's start is compared.
import { createServer } from 'node:http'

const server = createServer((_, response) => {
  response.setHeader('content-type', 'application/json')
  response.end('{"status":"ok"}')
})
server.listen(0, '127.0.0.1', () => process.send?.({ listening: server.address().port }))
process.on('SIGTERM', () => process.exit(0))
