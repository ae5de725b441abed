import { board } from '../board.ts'
import { functionUrl } from '../links.ts'
import { availability, latency, orders, patience } from '../objectives.ts'
import { gateway, ofCustomers, prometheus } from '../others.ts'
import { alerts, lines, numbers, table, units } from '../panels.ts'
import {
  count,
  histogram,
  increase,
  label,
  orZero,
  quantile,
  rate,
  series,
  share,
  shop,
  sum,
} from '../prometheus.ts'

const requests = `${gateway.request}_count`
// the gateway of npm start measures the requests to functions, too
const byItself = { 'service.name': '!=gateway' } as const
const served = histogram('http.server.request.duration', 'count', byItself)
const failed = histogram('http.server.request.duration', 'count', {
  ...byItself,
  'http.response.status_code': '=~5..',
})
const durations = histogram('http.server.request.duration', 'bucket', byItself)
const byFunction = 'zeroshop.function'

const firing = series(prometheus.alerts, { alertstate: 'firing' })

export const overview = () =>
  board({
    uid: 'zeroshop-overview',
    title: 'Overview',
    description: 'Whether customers are served, and what is on fire.',
    rows: {
      'What customers see': [
        numbers({
          question: 'Is anything on fire?',
          description:
            'How many alerts fire. The list beside it says which; each has a runbook in docs/runbooks.',
          unit: units.count,
          limits: { bad: 1 },
          span: 4,
          height: 6,
          queries: { alerts: orZero(count(firing)) },
        }),
        alerts(firing, {
          question: 'What is on fire?',
          description: 'The alerts that fire. A page needs someone now, a ticket within a day or two.',
          unit: units.count,
          span: 8,
          height: 6,
          nothing: 'Nothing.',
        }),
        numbers({
          question: 'Are the promises kept?',
          description:
            'The share of the past hour’s requests that were answered, that were answered in time, and of the orders that ended in time.',
          unit: units.share,
          limits: { bad: latency.goal, warn: availability.goal, isFloor: true },
          height: 6,
          queries: {
            answered: `1 - ${availability.bad('1h')}`,
            'in time': `1 - (${latency.bad('1h')})`,
            'orders ended': `1 - ${orders.bad('1h')}`,
          },
        }),
        lines({
          question: 'How many requests do customers send?',
          description: 'Requests to the gateway each second, by the status of the answer.',
          unit: units.perSecond,
          isStacked: true,
          span: 8,
          queries: { '{{code}}': sum(rate(series(requests, ofCustomers)), 'code') },
        }),
        lines({
          question: 'What share of them fails?',
          description: 'Answers with a status of 5xx. The line is what the shop may lose over 30 days.',
          unit: units.share,
          limits: { bad: 1 - availability.goal },
          span: 8,
          queries: { failed: availability.bad('$__rate_interval') },
        }),
        lines({
          question: 'How long do customers wait?',
          description:
            'Until the first byte of an answer of a function, cold starts included. Event streams count until they begin.',
          unit: units.seconds,
          limits: { bad: patience },
          span: 8,
          queries: {
            p50: quantile(0.5, series(`${gateway.response}_bucket`, ofCustomers)),
            p95: quantile(0.95, series(`${gateway.response}_bucket`, ofCustomers)),
            p99: quantile(0.99, series(`${gateway.response}_bucket`, ofCustomers)),
          },
        }),
      ],
      'What the shop does': [
        lines({
          question: 'How many orders come in, and how do they end?',
          description:
            'Orders a minute. Those that are placed should be confirmed or cancelled within seconds.',
          unit: units.perMinute,
          span: 8,
          queries: {
            placed: `60 * ${sum(rate(shop('zeroshop.orders.placed')))}`,
            confirmed: `60 * ${sum(rate(shop('zeroshop.orders.confirmed')))}`,
            completed: `60 * ${sum(rate(shop('zeroshop.orders.completed')))}`,
            cancelled: `60 * ${sum(rate(shop('zeroshop.orders.cancelled')))}`,
          },
        }),
        lines({
          question: 'What does the shop earn?',
          description:
            'What was captured less what was refunded in an hour, in minor units of each currency.',
          unit: units.count,
          span: 8,
          queries: {
            'captured {{currency}}': sum(increase(shop('zeroshop.revenue.captured'), '1h'), 'currency'),
            'refunded {{currency}}': sum(increase(shop('zeroshop.revenue.refunded'), '1h'), 'currency'),
          },
        }),
        lines({
          question: 'How many functions start from zero?',
          description:
            'Processes a minute that received their first request. Many at once mean that scaling to zero costs more than it saves.',
          unit: units.perMinute,
          span: 8,
          queries: { 'first requests': `60 * ${sum(rate(shop('faas.coldstarts')))}` },
        }),
        table({
          question: 'How does each function do?',
          description: 'Over the past five minutes, as the function sees it: a cold start comes on top.',
          unit: units.count,
          span: 24,
          height: 12,
          by: [label(byFunction), 'function'],
          sortedBy: 'requests/s',
          rowLink: { title: 'This function', url: functionUrl('${__value.raw}') },
          columns: {
            'requests/s': { query: sum(rate(served, '5m'), byFunction), unit: units.perSecond },
            failed: {
              query: share(
                `(${sum(rate(failed, '5m'), byFunction)} or 0 * ${sum(rate(served, '5m'), byFunction)})`,
                sum(rate(served, '5m'), byFunction),
              ),
              unit: units.share,
              bad: 1 - availability.goal,
            },
            p50: {
              query: quantile(0.5, durations, [byFunction], '5m'),
              unit: units.seconds,
            },
            p95: {
              query: quantile(0.95, durations, [byFunction], '5m'),
              unit: units.seconds,
              bad: 1,
            },
          },
        }),
        lines({
          question: 'Are the books right?',
          description:
            'Rows that must never be, by check: stock below zero, more captured than authorised. And how often they were checked in the past hour.',
          unit: units.count,
          height: 6,
          queries: {
            '{{check}}': sum(increase(shop('zeroshop.books.violations'), '1h'), 'check'),
            checks: sum(increase(shop('zeroshop.books.checks'), '1h')),
          },
        }),
        lines({
          question: 'Can these figures be trusted?',
          nothing: 'Yes.',
          description:
            'Spans and points that functions dropped, each second, because the collector was away or slow; and targets that Prometheus cannot reach.',
          unit: units.count,
          limits: { bad: 1 },
          height: 6,
          queries: {
            'dropped {{signal}}': sum(rate(shop('zeroshop.telemetry.dropped')), 'signal'),
            'away {{job}}': `count by (job) (${prometheus.up} == 0)`,
          },
        }),
      ],
    },
  })
