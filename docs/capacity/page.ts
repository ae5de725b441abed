import { functions } from '../../functions/table.ts'
import { table } from '../function-table.ts'
import { bytes, count, figure, percent, span } from './format.ts'
import { day, night, perDay, perSecond } from './load.ts'
import type { Measured } from './measured.ts'
import {
  alwaysOn,
  coresOf,
  fullAt,
  functionPod,
  inFlightOf,
  limitsOf,
  loadOf,
  mostForOneSku,
  outcomesOf,
  partsOf,
  peakLoad,
  podsFor,
  quota,
  savingOf,
  sum,
  type Outcomes,
  type Part,
  type Saving,
} from './model.ts'
import type { Load } from './simulate.ts'
import { broker, connections, database, shards, streamDays, volumeDays } from './stores.ts'

/** The shops that scale-to-zero is computed for, in orders a day. */
const shops = [1_000, 30_000, perDay]

const maxScale = ({ name }: Part) => functions[name].maxScale

/** Returns docs/capacity.md. */
export async function capacityPage(measured: Measured): Promise<string> {
  const parts = partsOf(measured)
  const days = shops.map((orders) => outcomesOf(measured, loadOf(day, orders), maxScale))
  const saved = days.map((outcomes) => savingOf(outcomes))
  const nights = shops.map((orders) => {
    const { rateAt } = loadOf(day, orders)
    const [from, to] = night
    const outcomes = outcomesOf(measured, { rateAt, seconds: to * 3600, countFrom: from * 3600 }, maxScale)
    return savingOf(outcomes, to - from).zero / (to - from)
  })
  const normal = days.at(-1)!
  const load = peakLoad(perSecond)
  const high = outcomesOf(measured, load, (part) => podsFor(part, perSecond))
  const { rateAt } = loadOf(day, perDay)
  const top = Math.max(...Array.from({ length: 24 }, (_, hour) => rateAt(hour * 3600)))
  const limits = limitsOf(measured)
  const { relay, dispatcher, nats, postgres } = measured.services
  const inFunctions = (rate: number) => sum(parts, (part) => coresOf(part, rate))
  const ordersOnly = parts.filter(({ name }) => measured.functions[name]!.perOrder !== undefined)
  const msAnOrder = sum(ordersOnly, ({ perOrder, cpuMs }) => perOrder * cpuMs)
  const others = relay + dispatcher + nats + postgres
  const cores = (rate: number) => inFunctions(rate) + (rate * others) / 1000
  const first = limits[0]!
  const [smallest, largest] = [saved[0]!, saved.at(-1)!]

  return `<!-- Made from docs/capacity/measured.json, the function table and the manifests by npm run capacity, and by npm run generate without measuring (docs/capacity/page.ts). -->

# Capacity

What a shop with ${count(perDay)} orders a day needs, and one with ${count(perSecond)} orders a second at the peak; where it stops scaling first; and what scaling to zero saves. Every figure is computed from measured costs, from the [function table](functions.md), from the manifests, and by running the autoscaler’s own algorithm on simulated orders.

- **${count(perDay)} orders a day** are ${figure(perDay / 86_400)} a second on average and ${figure(top)} in the evening. They need ${figure(cores(top))} cores then. ${first.ordersPerSecond >= top ? `The shop can do that as it is configured: it ends at ${figure(first.ordersPerSecond)} orders a second.` : `As it is configured, the shop ends at ${figure(first.ordersPerSecond)} orders a second, so ${limits.filter(({ ordersPerSecond }) => ordersPerSecond < top).length} of its limits must be raised.`} PostgreSQL’s volume is full after ${span(volumeDays(measured))}, though, and the stream has room for the events of ${span(streamDays(measured, perDay))}.
- **${count(perSecond)} orders a second** need ${figure(cores(perSecond))} cores: ${figure(inFunctions(perSecond))} in functions, ${figure((perSecond * postgres) / 1000)} in PostgreSQL, ${figure((perSecond * (relay + dispatcher + nats)) / 1000)} in relay, dispatcher and NATS. PostgreSQL writes ${bytes(perSecond * measured.postgres.walBytes)} of WAL a second. ${limits.filter(({ ordersPerSecond }) => ordersPerSecond < perSecond).length} limits must be raised for that.
- **What stops first**: ${first.what}, at ${figure(first.ordersPerSecond)} orders a second (${first.why}). Orders for one and the same product reach ${figure(mostForOneSku(measured))} a second at least.
- **Scaling to zero** saves ${percent(1 - smallest.zero / smallest.warm)} of the pod-hours of a shop with ${count(shops[0]!)} orders a day, compared with one pod of each function that always runs, and ${percent(1 - largest.zero / largest.warm)} with ${count(shops.at(-1)!)}.

## What an order costs

From placing it to the end, with all that happens later: its deadlines, and the removal of its rows when they expire. Measured on ${measured.machine}, with ${measured.orders} orders. Besides, visitors do as much for each order as in \`npm run demo:scale\`. A reaction’s call is an event, even if several came in one request.

${table(
  ['what', 'calls an order', 'CPU a call', 'CPU an order', 'in flight'],
  [
    ...parts.map(({ name, perOrder, cpuMs, ms }) => [
      `\`${name}\``,
      figure(perOrder),
      `${figure(cpuMs)} ms`,
      `${figure(perOrder * cpuMs)} ms`,
      `${figure(ms)} ms`,
    ]),
    ...Object.entries(measured.services).map(([name, ms]) => [name, '', '', `${figure(ms)} ms`, '']),
  ],
)}

An order itself costs ${figure(msAnOrder + others)} ms of CPU: ${figure(msAnOrder)} in functions and ${figure(others)} in the rest.

## Pods

How many pods of each function there are on a day with ${count(perDay)} orders, with the max scale of the table, and in an hour of ${count(perSecond)} orders a second, with the max scale that this needs: so many that each uses ${percent(fullAt)} of its core.

${table(
  [
    'function',
    'pods in a day, mean',
    'most',
    'cores at the peak',
    'pods, mean',
    'longest wait',
    'max scale needed',
    'max scale now',
    'concurrency',
    'in flight in a busy pod',
  ],
  podRows(parts, normal, high, load),
)}

The last column is how many calls are in flight in a pod whose CPU is ${percent(fullAt)} busy. The autoscaler adds a pod when ${percent(fullAt)} of the concurrency are in flight. Where that is much more, it adds pods only once calls wait for CPU, and removes pods that are still needed. The longest wait shows what this costs. For ${lateOnes(parts)} of these ${parts.length} functions, it is more than twice as much.

${peakPods(parts)}

## Connections

${connections(measured, top, normal)}

## PostgreSQL

${database(measured)}

## JetStream

${broker(measured)}

## Where it stops first

As configured, the shop ends at these rates, the lowest first. Those from ${count(perSecond)} orders a second are left out.

${table(
  ['what', 'orders a second', 'because of'],
  limits
    .filter(({ ordersPerSecond }) => ordersPerSecond < perSecond)
    .map(({ what, ordersPerSecond, why }) => [what, figure(ordersPerSecond), why]),
)}

Orders for one product wait for each other: \`reserve-stock\` and \`commit-stock\` lock its row in \`stock.items\`. If they did so for as long as a call is in flight, ${figure(mostForOneSku(measured))} orders a second could have the same product. More pods do not help there.

Functions, the relay and the dispatcher go further with more pods: several relays share the outbox, since each skips the rows that another has locked. PostgreSQL is one server, and has no limit here. At ${count(perSecond)} orders a second it uses ${figure((perSecond * postgres) / 1000)} cores; a server with 64 of them would end at ${figure((64 * fullAt * 1000) / postgres)} orders a second if ${percent(fullAt)} of them are used.

## What would be sharded

An event’s outbox row is committed together with what it reports, so a shard is a whole PostgreSQL server with its own outbox, inbox and relay. These tables grow or change with each order:

${await shards(measured)}

The key is the order’s id, which is the order’s own \`id\`, the \`order_id\` of what belongs to it, and the \`subject\` of its events; the inbox is where the event’s effect is. Each transaction of an order is then in one shard, except for those that change \`stock.items\`: they lock the rows of all SKUs of an order. Split by SKU, stock needs a reservation in each shard that an order touches. A table without such a column cannot be split: invoices are numbered without gaps, so each shard would need a series of its own. To list a customer’s orders, every shard is asked. Where the last column says no, a unique key must be widened before PostgreSQL can partition the table by this column.

## What scaling to zero saves

In a day with a night: hardly an order from ${night[0]} to ${night[1]} o’clock, and most in the evening. All ${Object.keys(functions).length} functions of the table count, of which ${alwaysOn().length} always have a pod; those that an order and its visitors do not call are not called at all. A pod asks for ${functionPod('create-order').memoryRequest} MiB of memory.

${savings(saved, nights)}

A call that finds no pod waits for a cold start, which took ${count(measured.cluster.coldStartMs)} ms on a cluster (\`${measured.cluster.command}\`). Of that, the function’s own start is ${figure(measured.startMs)} ms on the machine above.

## How it was computed

- **Costs**: \`npm run capacity\` starts a shop as \`npm start\` does, with the stores on disk, and leads orders from placing to the end. It reads the CPU time of each process, PostgreSQL’s WAL position, transaction ids and statistics, and the state of the stream. What the idle shop uses in the same time is subtracted. How long a call is in flight follows from how many are, by Little’s law, with one order at a time, in the quietest of some rounds. \`docs/capacity/measured.json\` has the results.
- **Pods**: each function is simulated in steps of 2 s, the autoscaler’s tick, with calls that arrive at random (a Poisson process with a fixed seed). How many are in flight follows from the cost of a call and the CPU that the ready pods have: a busy pod shares its CPU among its calls (M/G/1 with processor sharing), and what it cannot serve waits for the next step. \`local/activator/autoscaler.ts\` then decides, as it does for \`npm start\`. Functions that scale on CPU follow the HPA’s rule.
- **Limits** are max scale, replicas, CPU limits and connections of the manifests, divided by what an order uses of them.

## What is not in it

- CPU of the gateway, Knative’s activator and queue-proxies, PgBouncer, MongoDB and the payment provider, and the network. A core is one of the machine above, and other cores are faster or slower.
- What is saved when events are handled together. At a high rate more of them wait, and then the relay publishes and the dispatcher delivers many at once, so the peak’s figures are upper bounds.
- Reactions that wait for others. Each function is simulated alone, and gets its calls even if a function before it cannot keep up.
- Orders with more than one line, cancellations and refunds, sellers, and customers who read more or less than in the demo.
- Checkpoints, replicas and backups of PostgreSQL, which add to the WAL, and indexes that grow deeper.
`
}

const podRows = (parts: Part[], normal: Outcomes, high: Outcomes, load: Load) =>
  parts.map((part) => {
    const { maxScale, concurrency, scaling } = functions[part.name]
    const needed = podsFor(part, perSecond)
    const [low, top] = [normal.get(part.name)!, high.get(part.name)!]
    return [
      `\`${part.name}\``,
      figure(low.podSeconds / day.seconds),
      count(low.mostPods),
      figure(coresOf(part, perSecond)),
      figure(top.podSeconds / (load.seconds - (load.countFrom ?? 0))),
      `${figure(Number(top.longestWait.toFixed(1)))} s`,
      needed > maxScale ? `**${needed}**` : count(needed),
      count(maxScale),
      scaling === 'cpu' ? 'on CPU' : count(concurrency),
      figure(inFlightOf(part)),
    ]
  })

/** Returns how many functions get another pod only when a pod has more than twice as many calls as it can serve well. */
const lateOnes = (parts: Part[]) =>
  parts.filter((part) => {
    const { scaling, concurrency } = functions[part.name]
    return scaling !== 'cpu' && fullAt * concurrency > 2 * inFlightOf(part)
  }).length

function peakPods(parts: Part[]): string {
  const all = parts.map((part) => ({ pods: podsFor(part, perSecond), ...functionPod(part.name) }))
  const pods = sum(all, ({ pods }) => pods)
  const cpu = sum(all, ({ pods, cpuRequest }) => pods * cpuRequest)
  const memory = sum(all, ({ pods, memoryRequest }) => pods * memoryRequest)
  const used = sum(parts, (part) => coresOf(part, perSecond))
  const { pods: podQuota, 'requests.cpu': cpuQuota } = quota()
  return `At ${count(perSecond)} orders a second these are ${count(pods)} pods. They request ${figure(cpu)} cores and ${bytes(memory * 1024 ** 2)}, and use ${figure(used)} cores. The quota of the namespace allows ${podQuota} pods, and requests of ${cpuQuota} cores.`
}

const savings = (days: Saving[], nights: number[]) =>
  table(
    [
      'orders a day',
      'pods at night',
      'pod-hours a day',
      'one pod of each always',
      'saved',
      'memory saved on average',
      'calls that wait for a start',
    ],
    days.map(({ zero, warm, coldCalls, calls }, n) => [
      count(shops[n]!),
      figure(nights[n]!),
      figure(zero),
      figure(warm),
      percent(1 - zero / warm),
      bytes(((warm - zero) / 24) * functionPod('create-order').memoryRequest * 1024 ** 2),
      `${count(coldCalls)} (${percent(coldCalls / calls)})`,
    ]),
  )
