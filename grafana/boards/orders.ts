import { board } from '../board.ts'
import { ofFunction } from '../links.ts'
import { orderPatience } from '../objectives.ts'
import { bars, lines, units } from '../panels.ts'
import { histogram, increase, max, orZero, quantile, rate, shop, sum } from '../prometheus.ts'

const range = '$__range'
const links = ofFunction('reaction')

const reached = (step: string) =>
  orZero(sum(increase(histogram('zeroshop.order.duration', 'count', { step }), range)))

const duration = (step: string) => histogram('zeroshop.order.duration', 'bucket', { step })

const steps = ['confirmed', 'shipped', 'completed', 'cancelled']

export const orders = () =>
  board({
    uid: 'zeroshop-orders',
    title: 'Orders',
    description: 'How orders go from being placed to their end, and what holds them up.',
    rows: {
      'The way of an order': [
        bars({
          question: 'How many orders reach each step?',
          description:
            'Over the time that you look at. A shop that ships once a day completes today what was placed yesterday.',
          unit: units.count,
          span: 8,
          queries: {
            placed: orZero(sum(increase(shop('zeroshop.orders.placed'), range))),
            ...Object.fromEntries(steps.map((step) => [step, reached(step)])),
          },
        }),
        lines({
          question: 'Why are orders cancelled?',
          description: 'A minute, by reason.',
          unit: units.perMinute,
          isStacked: true,
          span: 8,
          queries: { '{{reason}}': `60 * ${sum(rate(shop('zeroshop.orders.cancelled')), 'reason')}` },
        }),
        lines({
          question: 'How many lines want more than the stock?',
          description: 'A minute. Each makes its order fail.',
          unit: units.perMinute,
          span: 8,
          queries: { shortages: orZero(`60 * ${sum(rate(shop('zeroshop.stock.shortages')))}`) },
        }),
        ...steps.map((step) =>
          lines({
            question: `How long until an order is ${step}?`,
            description: 'From the moment it was placed. Buckets are coarse above a minute.',
            unit: units.seconds,
            ...(step === 'confirmed' && { limits: { bad: orderPatience } }),
            span: 6,
            queries: {
              p50: quantile(0.5, duration(step)),
              p95: quantile(0.95, duration(step)),
              p99: quantile(0.99, duration(step)),
            },
          }),
        ),
      ],
      'The way of events': [
        lines({
          question: 'How late are events published?',
          description: 'For how long the oldest event that is not published has been due.',
          unit: units.seconds,
          limits: { warn: 10, bad: 60 },
          span: 8,
          queries: { lag: max(shop('zeroshop.outbox.lag')) },
        }),
        lines({
          question: 'How many events wait to be published?',
          description:
            'They are safe in the outbox. A number that keeps growing means that the relay or JetStream is away.',
          unit: units.count,
          span: 8,
          queries: { unpublished: max(shop('zeroshop.outbox.unpublished')) },
        }),
        lines({
          question: 'Which reactions lag behind?',
          description: 'Events that were published, and that the reaction has not handled yet.',
          unit: units.count,
          limits: { warn: 100, bad: 1000 },
          span: 8,
          links,
          nothing: 'None.',
          queries: { '{{reaction}}': `${max(shop('zeroshop.consumer.lag'), 'reaction')} > 0` },
        }),
        lines({
          question: 'What becomes of deliveries?',
          description: 'Attempts a minute, by outcome.',
          unit: units.perMinute,
          isStacked: true,
          span: 8,
          queries: { '{{outcome}}': `60 * ${sum(rate(shop('zeroshop.deliveries')), 'outcome')}` },
        }),
        lines({
          question: 'Which reactions are retried?',
          description: 'Deliveries a minute that were attempted again after a failure.',
          unit: units.perMinute,
          span: 8,
          links,
          nothing: 'None.',
          queries: { '{{reaction}}': `60 * ${sum(rate(shop('zeroshop.retries')), 'reaction')} > 0` },
        }),
        lines({
          question: 'What has been given up on?',
          description: 'Dead letters that were neither replayed nor dropped: npm run dead-letters.',
          unit: units.count,
          limits: { bad: 1 },
          span: 8,
          links,
          nothing: 'Nothing.',
          queries: { '{{reaction}}': `${max(shop('zeroshop.dead_letters'), 'reaction')} > 0` },
        }),
        lines({
          question: 'How long do reactions take?',
          description: 'p95 of handling an event, without the wait for it.',
          unit: units.seconds,
          limits: { bad: 1 },
          span: 24,
          links: ofFunction('zeroshop_reaction'),
          queries: {
            '{{zeroshop_reaction}}': quantile(0.95, histogram('messaging.process.duration', 'bucket'), [
              'zeroshop.reaction',
            ]),
          },
        }),
      ],
    },
  })
