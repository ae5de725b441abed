// Stands in for natsio/prometheus-nats-exporter, which is in no registry that can be reached: it shows the figures of
// NATS' monitoring port that dashboards and alerts read, under that program's names. While NATS is away, it shows none.
import { createServer } from 'node:http'

const nats = process.argv.at(-1)
const port = 7777

const read = async (path) => (await fetch(nats + path, { signal: AbortSignal.timeout(5_000) })).json()

const line = (name, labels, value) =>
  `${name}{${Object.entries(labels)
    .map(([label, text]) => `${label}=${JSON.stringify(text)}`)
    .join(',')}} ${value}`

async function metrics() {
  const [varz, jsz] = await Promise.all([read('/varz'), read('/jsz?consumers=true')])
  const server = { server_id: nats, server_name: varz.server_name }
  const streams = (jsz.account_details ?? []).flatMap(({ stream_detail: streams = [] }) => streams)
  return [
    ...['connections', 'mem', 'in_msgs', 'out_msgs', 'slow_consumers'].map((name) =>
      line(`gnatsd_varz_${name}`, { server_id: nats }, varz[name]),
    ),
    line('jetstream_server_total_message_bytes', server, jsz.bytes),
    line('jetstream_server_max_storage', server, jsz.config.max_storage),
    ...streams.flatMap(({ name, state, consumer_detail: consumers = [] }) => [
      line('jetstream_stream_total_messages', { ...server, stream_name: name }, state.messages),
      ...consumers.flatMap((consumer) =>
        ['num_pending', 'num_ack_pending'].map((figure) =>
          line(
            `jetstream_consumer_${figure}`,
            { ...server, stream_name: name, consumer_name: consumer.name },
            consumer[figure],
          ),
        ),
      ),
    ]),
  ]
}

createServer((_, response) => {
  void metrics()
    .catch(() => [])
    .then((lines) =>
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(`${lines.join('\n')}\n`),
    )
}).listen(port)
process.once('SIGTERM', () => process.exit(0))
