// Runs the same queries as get-cart with only node:http and the MongoDB driver, without checks.
import { createServer } from 'node:http'
import { MongoClient } from 'mongodb'

const client = new MongoClient(process.env.MONGODB_URL, { maxPoolSize: 10 })
const carts = client.db().collection('carts')
const products = client.db().collection('products')

async function read(id) {
  const cart = await carts.findOne({ _id: id }, { projection: { outbox: 0, attempts: 0, merged: 0 } })
  const skus = cart.lines.map(({ sku }) => sku)
  return { cart, products: await products.find({ _id: { $in: skus } }).toArray() }
}

const server = createServer((request, response) => {
  read(request.url.slice(1)).then(
    (found) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(found))
    },
    (error) => response.writeHead(500).end(String(error)),
  )
})
server.listen(0, '127.0.0.1', () => process.send?.({ listening: server.address().port }))
process.on('SIGTERM', () => process.exit(0))
