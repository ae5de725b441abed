import type { Alert } from '../alert.ts'
import { probe } from '../others.ts'
import { histogram, increase, label, orZero, quantile, rate, shop, sum } from '../prometheus.ts'

const day = 86_400
/** How long the certificate is valid from now on, in seconds. */
const left = `${probe.certificateEnds} - time()`
const starts = histogram('faas.init_duration', 'bucket')

/** The gateway, its certificate, and what the shop is there for. */
export const theShop: Alert[] = [
  {
    name: 'ShopIsUnreachable',
    severity: 'page',
    expr: `${probe.succeeded} == 0`,
    for: '2m',
    summary: '{{ $labels.instance }} does not answer',
  },
  {
    name: 'CertificateEnds',
    severity: 'ticket',
    // Caddy renews a certificate when a third of its life is left: of 90 days, or of the 12 hours of its own authority
    expr: `(${left} < ${7 * day} and max_over_time((${left})[30d:1d]) > ${30 * day}) or ${left} < 3600`,
    for: '15m',
    summary: 'The certificate of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}',
  },
  {
    name: 'NoOrders',
    severity: 'page',
    // the day before had one in each half hour, on average
    expr: `${orZero(sum(increase(shop('zeroshop.orders.placed'), '30m')))} == 0 and ${sum(increase(shop('zeroshop.orders.placed'), '1d'))} > 48`,
    for: '5m',
    summary: 'No order was placed for half an hour',
  },
  {
    name: 'ColdStartsAreSlow',
    severity: 'ticket',
    expr: `${quantile(0.95, starts, ['service.name'], '30m')} > 1 and ${sum(increase(histogram('faas.init_duration', 'count'), '30m'), 'service.name')} >= 5`,
    for: '10m',
    summary: `{{ $labels.${label('service.name')} }} needs {{ $value | humanizeDuration }} to start (p95)`,
  },
  {
    name: 'TelemetryIsDropped',
    severity: 'ticket',
    expr: `${sum(rate(shop('zeroshop.telemetry.dropped'), '10m'), 'signal')} > 1`,
    for: '10m',
    summary:
      'Functions drop {{ $value | humanize }} {{ $labels.signal }} a second: dashboards and traces have gaps',
  },
]
