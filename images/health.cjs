// The health check of every container. It runs in hundreds of containers, so it does not load
// node:http, which would cost more than all the rest.
const port = process.env.PORT || 8080
const socket = require('node:net').connect(port, '127.0.0.1')
// the status in `HTTP/1.1 200 OK`
socket.on('data', (answer) => process.exit(answer.toString('latin1', 9, 12) === '200' ? 0 : 1))
socket.on('end', () => process.exit(1))
socket.on('error', () => process.exit(1))
socket.write('GET /health/readiness HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
