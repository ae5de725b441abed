/** What the shop promises those who use it, over 30 days. Dashboards draw it, and alerts watch it. */
import { gateway, ofCustomers } from './others.ts'
import { bound, histogram, increase, orZero, rate, series, shop, sum } from './prometheus.ts'

export interface Objective {
  /** The share of good ones. */
  goal: number
  /** Returns the share of bad ones over a time, such as `5m`. */
  bad: (over: string) => string
  /** Returns how many there were. */
  total: (over: string) => string
}

/** How long a customer may wait for the first byte of an answer, in seconds; a cold start is included. */
export const patience = 2.5
/** How long an order may take until it is confirmed or cancelled, in seconds. */
export const orderPatience = 60

const requests = `${gateway.request}_count`
const answers = gateway.response

/** Answers that are not the shop's fault. */
export const availability: Objective = {
  goal: 0.999,
  total: (over) => sum(increase(series(requests, ofCustomers), over)),
  bad: (over) =>
    `${orZero(sum(rate(series(requests, { ...ofCustomers, code: '=~5..' }), over)))} / ${sum(rate(series(requests, ofCustomers), over))}`,
}

/** Answers in time. */
export const latency: Objective = {
  goal: 0.99,
  total: (over) => sum(increase(series(`${answers}_count`, ofCustomers), over)),
  bad: (over) =>
    `1 - ${sum(rate(series(`${answers}_bucket`, { ...ofCustomers, le: bound(patience) }), over))} / ${sum(rate(series(`${answers}_count`, ofCustomers), over))}`,
}

const placed = (over: string) => sum(increase(shop('zeroshop.orders.placed'), over))

/** Orders that end in time, one way or the other: they are confirmed, or cancelled before. */
export const orders: Objective = {
  goal: 0.995,
  total: placed,
  bad: (over) => {
    const ended = histogram('zeroshop.order.duration', 'bucket', {
      step: '=~confirmed|cancelled',
      le: bound(orderPatience),
    })
    // an order may be confirmed and cancelled within a minute, which counts as two
    return `clamp_min(1 - ${orZero(sum(increase(ended, over)))} / (${placed(over)} > 0), 0)`
  },
}
