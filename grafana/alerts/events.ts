import type { Alert } from '../alert.ts'
import { increase, max, shop, sum } from '../prometheus.ts'

/** What holds events up. */
export const events: Alert[] = [
  {
    name: 'OutboxIsLate',
    severity: 'page',
    expr: `${max(shop('zeroshop.outbox.lag'))} > 60`,
    for: '2m',
    summary: 'The oldest event that is not published has been due for {{ $value | humanizeDuration }}',
  },
  {
    name: 'RelayIsSilent',
    severity: 'page',
    expr: `absent(${shop('zeroshop.outbox.unpublished')})`,
    for: '5m',
    summary: 'The relay has said nothing about the outbox for five minutes',
  },
  {
    name: 'ReactionLagsBehind',
    severity: 'ticket',
    // it grows, or at least does not shrink: a sale fills every queue for a while
    expr: `${max(shop('zeroshop.consumer.lag'), 'reaction')} > 1000 and ${max(`min_over_time(${shop('zeroshop.consumer.lag')}[15m])`, 'reaction')} >= ${max(`min_over_time(${shop('zeroshop.consumer.lag')}[15m] offset 15m)`, 'reaction')}`,
    for: '15m',
    summary: '{{ $labels.reaction }} has {{ $value | humanize }} events to handle, and does not catch up',
  },
  {
    name: 'DeadLetter',
    severity: 'ticket',
    expr: `${max(shop('zeroshop.dead_letters'), 'reaction')} > 0`,
    for: '1m',
    summary: '{{ $labels.reaction }} has given up on {{ $value }} events',
  },
  {
    name: 'DeliveriesFail',
    severity: 'ticket',
    expr: `${sum(increase(shop('zeroshop.retries'), '15m'), 'reaction')} > 50`,
    for: '5m',
    summary: '{{ $labels.reaction }} has failed and was retried {{ $value | humanize }} times in 15 minutes',
  },
]
