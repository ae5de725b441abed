import { board } from '../board.ts'
import { ofFunction } from '../links.ts'
import { knative, knativeFunction, kubernetes } from '../others.ts'
import { lines, units } from '../panels.ts'
import { histogram, label, max, quantile, rate, series, shop, sum } from '../prometheus.ts'

const name = '{{kn_service_name}}'
const links = ofFunction(label(knativeFunction))
const pods = series(knative('kn.revision.pods.count'))

/** How long a step of the start of a pod takes, on average, in seconds. The label says which pods are the shop's. */
const step = (from: string, to: string) =>
  `avg(${series(to, { namespace: '=~zeroshop.*' })} - on (namespace, pod) ${series(from, { namespace: '=~zeroshop.*' })})`

export const scaling = () =>
  board({
    uid: 'zeroshop-scaling',
    title: 'Scaling',
    description:
      'How functions go from zero to what the load needs, and back. Knative’s own figures: on a cluster only.',
    rows: {
      'From zero and back': [
        lines({
          question: 'How many pods does each function have?',
          areMany: true,
          description: 'Pods that exist. A function that nobody calls should be at zero a minute later.',
          unit: units.count,
          isStacked: true,
          span: 24,
          links,
          queries: { [name]: `${sum(pods, knativeFunction)} > 0` },
        }),
        lines({
          question: 'Does each function have the pods that the autoscaler wants?',
          areMany: true,
          description:
            'How many are missing, where some are. More than a few seconds of it mean that the cluster has no room, or that pods do not become ready.',
          unit: units.count,
          limits: { bad: 3 },
          links,
          queries: {
            [name]: `${sum(series(knative('kn.revision.pods.desired')), knativeFunction)} - ${sum(pods, knativeFunction)} > 0`,
          },
        }),
        lines({
          question: 'How close is concurrency to its target?',
          areMany: true,
          description:
            'Requests at once in each pod, over the stable window, as a share of the target. Above 1 the autoscaler adds pods.',
          unit: units.share,
          limits: { bad: 1 },
          links,
          queries: {
            [name]: `${sum(series(knative('kn.revision.concurrency.stable')), knativeFunction)} / ${sum(series(knative('kn.revision.concurrency.target')), knativeFunction)} > 0`,
          },
        }),
        lines({
          question: 'Which functions scale in panic?',
          nothing: 'None.',
          areMany: true,
          description: 'Their load has doubled within six seconds. Until it calms down, they only grow.',
          unit: units.count,
          links,
          queries: { [name]: `${max(series(knative('kn.revision.panic.mode')), knativeFunction)} > 0` },
        }),
        lines({
          question: 'Are pods stuck?',
          description: 'Pods that wait for a node, that are not ready, or that end.',
          unit: units.count,
          isStacked: true,
          queries: {
            pending: sum(series(knative('kn.revision.pods.pending.count'))),
            'not ready': sum(series(knative('kn.revision.pods.not_ready.count'))),
            ending: sum(series(knative('kn.revision.pods.terminating.count'))),
          },
        }),
      ],
      'Cold starts': [
        lines({
          question: 'How long does a function need to start?',
          description: 'From the start of its process until it listens.',
          unit: units.seconds,
          limits: { bad: 1 },
          queries: {
            p50: quantile(0.5, histogram('faas.init_duration', 'bucket')),
            p95: quantile(0.95, histogram('faas.init_duration', 'bucket')),
          },
        }),
        lines({
          question: 'Where does the time of a cold start go?',
          description:
            'The average over the pods that exist, by stage. Kubernetes keeps these times in whole seconds, so only long ones are exact.',
          unit: units.seconds,
          isStacked: true,
          queries: {
            'find a node': step(kubernetes.podCreated, kubernetes.podScheduled),
            'make the sandbox, start the containers': step(
              kubernetes.podScheduled,
              kubernetes.podContainersReady,
            ),
            'be found ready': step(kubernetes.podContainersReady, kubernetes.podReady),
          },
        }),
        lines({
          question: 'How many processes start?',
          areMany: true,
          description: 'A minute, by function, whatever made them start.',
          unit: units.perMinute,
          isStacked: true,
          links: ofFunction(label('service.name')),
          queries: {
            '{{service_name}}': `60 * ${sum(rate(histogram('faas.init_duration', 'count')), 'service.name')} > 0`,
          },
        }),
        lines({
          question: 'How many requests find no process?',
          areMany: true,
          description: 'First requests of a process, a minute. They waited for its start.',
          unit: units.perMinute,
          isStacked: true,
          links: ofFunction(label('service.name')),
          queries: {
            '{{service_name}}': `60 * ${sum(rate(shop('faas.coldstarts')), 'service.name')} > 0`,
          },
        }),
      ],
      'Waiting and cost': [
        lines({
          question: 'Where do requests wait?',
          description:
            'In the activator while a function starts, and in the queue-proxies for a free place in their function.',
          unit: units.count,
          isStacked: true,
          queries: {
            activator: sum(series(knative('kn.revision.request.concurrency'))),
            'queue-proxies': sum(series(knative('kn.serving.queue.depth'))),
          },
        }),
        lines({
          question: 'How long do requests take in each function?',
          areMany: true,
          description: 'p95 as the queue-proxy sees it, with the wait for a free place.',
          unit: units.seconds,
          links,
          queries: {
            [name]: quantile(0.95, `${knative('kn.serving.invocation.duration')}_bucket`, [knativeFunction]),
          },
        }),
        lines({
          question: 'How many instances do the parts have that scale on CPU?',
          description: 'Those with a HorizontalPodAutoscaler, and how many they may have at most.',
          unit: units.count,
          queries: {
            '{{horizontalpodautoscaler}}': max(series(kubernetes.hpaReplicas), 'horizontalpodautoscaler'),
            '{{horizontalpodautoscaler}} at most': max(series(kubernetes.hpaMax), 'horizontalpodautoscaler'),
          },
        }),
        lines({
          question: 'What does it cost?',
          description:
            'Pod-seconds in each hour, and what one pod of every function that is always there would cost. The gap is what scaling to zero saves.',
          unit: units.count,
          queries: {
            used: `3600 * avg_over_time(${sum(pods)}[1h:1m])`,
            'one pod each': `3600 * count(${sum(series(knative('kn.revision.concurrency.target')), knativeFunction)})`,
          },
        }),
      ],
    },
  })
