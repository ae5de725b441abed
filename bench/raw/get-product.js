// Runs the same query as get-product with only node:http and the MongoDB driver, without checks.
import { createServer } from 'node:http'
import { MongoClient } from 'mongodb'

const client = new MongoClient(process.env.MONGODB_URL, { maxPoolSize: 10 })
const products = client.db().collection('products')

const server = createServer((request, response) => {
  const id = request.url.slice(request.url.lastIndexOf('/') + 1)
  products.findOne({ _id: id, deletedAt: null }).then(
    (product) => {
      response.writeHead(product === null ? 404 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(product))
    },
    (error) => response.writeHead(500).end(String(error)),
  )
})
server.listen(0, '127.0.0.1', () => process.send?.({ listening: server.address().port }))
process.on('SIGTERM', () => process.exit(0))
