// Runs the same query as get-order with only node:http and postgres.js, without a token or checks.
import { createServer } from 'node:http'
import postgres from 'postgres'

const sql = postgres(process.env.DATABASE_URL, { max: 2, fetch_types: false })
const server = createServer(async (request, response) => {
  const id = request.url.slice(request.url.lastIndexOf('/') + 1)
  const [row] = await sql`select * from orders.orders where id = ${id}`
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(row))
})
server.listen(0, '127.0.0.1', () => process.send?.({ listening: server.address().port }))
process.on('SIGTERM', () => process.exit(0))
