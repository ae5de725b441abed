/** A stand-in for kube-state-metrics: those of its metrics that the shop's own one is asked for. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'

const account = (file) => readFileSync(`/var/run/secrets/kubernetes.io/serviceaccount/${file}`, 'utf8')
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, NAMESPACE: namespace } = process.env

const list = (path) =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${account('token')}` }
    request({ host, port, path, headers, ca: account('ca.crt') }, (answer) => {
      text(answer).then((body) =>
        answer.statusCode === 200 ? resolve(JSON.parse(body).items) : reject(new Error(body)),
      )
    })
      .once('error', reject)
      .end()
  })

const seconds = (time) => Date.parse(time) / 1000

const conditions = {
  PodScheduled: 'kube_pod_status_scheduled_time',
  Initialized: 'kube_pod_status_initialized_time',
  ContainersReady: 'kube_pod_status_container_ready_time',
  Ready: 'kube_pod_status_ready_time',
}

const ofPod = ({ metadata: { name: pod, uid, creationTimestamp }, status }) => [
  ['kube_pod_created', { pod, uid }, seconds(creationTimestamp)],
  ...(status.conditions ?? [])
    .filter(({ type, status }) => type in conditions && status === 'True')
    .map(({ type, lastTransitionTime }) => [conditions[type], { pod, uid }, seconds(lastTransitionTime)]),
]

const ofScaler = ({ metadata: { name: horizontalpodautoscaler }, spec, status }) =>
  [
    ['spec_max', spec.maxReplicas],
    ['spec_min', spec.minReplicas],
    ['status_current', status.currentReplicas],
    ['status_desired', status.desiredReplicas],
  ]
    .filter(([, value]) => value !== undefined)
    .map(([what, value]) => [
      `kube_horizontalpodautoscaler_${what}_replicas`,
      { horizontalpodautoscaler },
      value,
    ])

async function metrics() {
  const [pods, scalers] = await Promise.all([
    list(`/api/v1/namespaces/${namespace}/pods`),
    list(`/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`),
  ])
  return [...pods.flatMap(ofPod), ...scalers.flatMap(ofScaler)]
    .map(([name, labels, value]) => {
      const written = Object.entries({ namespace, ...labels }).map(([key, label]) => `${key}="${label}"`)
      return `${name}{${written.join()}} ${value}\n`
    })
    .join('')
}

const serve = (at, answer) =>
  createServer((asked, reply) => {
    answer(asked.url).then(
      (body) => reply.end(body),
      (error) => reply.writeHead(500).end(String(error)),
    )
  }).listen(at)

serve(8080, (url) => (url === '/metrics' ? metrics() : Promise.resolve('')))
serve(8081, () => Promise.resolve(''))
process.once('SIGTERM', () => process.exit(0))
