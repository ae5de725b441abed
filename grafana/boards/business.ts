import { board } from '../board.ts'
import { lines, numbers, units } from '../panels.ts'
import { histogram, increase, orZero, quantile, shop, sum } from '../prometheus.ts'

const range = '$__range'
const hourly = (of: string, ...by: string[]) => sum(increase(of, '1h'), ...by)

export const business = () =>
  board({
    uid: 'zeroshop-business',
    title: 'Business',
    description: 'What the shop sells and earns, and what it loses. Money is in minor units of its currency.',
    rows: {
      'Over the time that you look at': [
        numbers({
          question: 'How many orders were placed?',
          description: 'And how many of them were confirmed, completed and cancelled meanwhile.',
          unit: units.count,
          span: 8,
          height: 6,
          queries: {
            placed: orZero(sum(increase(shop('zeroshop.orders.placed'), range))),
            confirmed: orZero(sum(increase(shop('zeroshop.orders.confirmed'), range))),
            completed: orZero(sum(increase(shop('zeroshop.orders.completed'), range))),
            cancelled: orZero(sum(increase(shop('zeroshop.orders.cancelled'), range))),
          },
        }),
        numbers({
          question: 'How much was earned?',
          description: 'What was captured less what was refunded.',
          unit: units.exact,
          span: 8,
          height: 6,
          queries: {
            '{{currency}}, minor units': `${sum(increase(shop('zeroshop.revenue.captured'), range), 'currency')} - (${sum(increase(shop('zeroshop.revenue.refunded'), range), 'currency')} or 0 * ${sum(increase(shop('zeroshop.revenue.captured'), range), 'currency')})`,
          },
        }),
        numbers({
          question: 'How large is an order?',
          description: 'What was captured, for each order that was completed.',
          unit: units.exact,
          span: 8,
          height: 6,
          queries: {
            '{{currency}}, minor units': `${sum(increase(shop('zeroshop.revenue.captured'), range), 'currency')} / scalar(${sum(increase(shop('zeroshop.orders.completed'), range))} > 0)`,
          },
        }),
      ],
      'Hour by hour': [
        lines({
          question: 'How many orders does an hour bring?',
          description: 'Orders that were placed and completed in the hour before.',
          unit: units.count,
          queries: {
            placed: hourly(shop('zeroshop.orders.placed')),
            completed: hourly(shop('zeroshop.orders.completed')),
          },
        }),
        lines({
          question: 'How much money does an hour bring?',
          description: 'In minor units, by currency.',
          unit: units.count,
          queries: {
            'captured {{currency}}': hourly(shop('zeroshop.revenue.captured'), 'currency'),
            'refunded {{currency}}': hourly(shop('zeroshop.revenue.refunded'), 'currency'),
          },
        }),
        lines({
          question: 'What share of orders is lost?',
          description: 'Cancelled, of those placed in the same hour, by reason.',
          unit: units.share,
          limits: { warn: 0.1, bad: 0.25 },
          queries: {
            '{{reason}}': `${hourly(shop('zeroshop.orders.cancelled'), 'reason')} / scalar(${hourly(shop('zeroshop.orders.placed'))})`,
          },
        }),
        lines({
          question: 'What could not be sold?',
          description: 'Lines of orders that wanted more than the stock, in the hour before.',
          unit: units.count,
          queries: { shortages: orZero(hourly(shop('zeroshop.stock.shortages'))) },
        }),
        lines({
          question: 'How long do customers wait for their parcel to leave?',
          description: 'From placing to shipping, of the orders that were shipped in the day before.',
          unit: units.seconds,
          limits: { warn: 172_800, bad: 604_800 },
          span: 24,
          queries: {
            p50: quantile(0.5, histogram('zeroshop.order.duration', 'bucket', { step: 'shipped' }), [], '1d'),
            p95: quantile(
              0.95,
              histogram('zeroshop.order.duration', 'bucket', { step: 'shipped' }),
              [],
              '1d',
            ),
          },
        }),
      ],
    },
  })
