/**
 * `npm run test:faults [-- NAME…]`: injects every kind of fault that we know of into a running shop, and checks
 * afterwards that nothing was lost and nothing happened twice.
 */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import pc from 'picocolors'
import { run } from '../../functions/shared/process/run.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { readArguments } from '../../local/commands/arguments.ts'
import { cannotMount } from './disk.ts'
import type { Fault } from './fault.ts'
import { broker } from './faults/broker.ts'
import { clocks } from './faults/clocks.ts'
import { crashes } from './faults/crashes.ts'
import { deliveries } from './faults/deliveries.ts'
import { endurance } from './faults/endurance.ts'
import { exhaustion } from './faults/exhaustion.ts'
import { fenced } from './faults/fenced.ts'
import { forged } from './faults/forged.ts'
import { fullDisk } from './faults/full-disk.ts'
import { idempotency } from './faults/idempotency.ts'
import { lostUpdates } from './faults/lost-updates.ts'
import { oversell } from './faults/oversell.ts'
import { provider } from './faults/provider.ts'
import { relays } from './faults/relays.ts'
import { stores } from './faults/stores.ts'
import { supervised } from './faults/supervised.ts'
import { toldToStop } from './faults/told-to-stop.ts'
import { mutationsAreCaught } from './mutation-check.ts'
import { createRandom } from './random.ts'
import { jsonReport, keep, report, stood, type Outcome } from './report.ts'
import { openFaultShop, type FaultShop } from './shop.ts'
import { openTraffic, type Traffic } from './traffic/traffic.ts'

const usage = `npm run test:faults [-- options] [NAME…]
  NAME           runs only these faults; mutations checks that the checker can fail, and runs only if named
  --seed N       repeats the random choices of a run
  --crashes N    the number of crashes (20)
  --minutes N    the duration of endurance, which runs only if named (30)
  --mutations N  how many mutations are chosen at random (all)
  --hours N      runs again with new seeds for this long, or until Ctrl-C
  --report       writes docs/reliability.md from the last run of each fault
  --outputFile F writes which faults failed and why, in the format of vitest's JSON reporter
  --log          prints the output of the processes`

/** The running shops, so that Ctrl-C can stop them. */
const shops = new Set<FaultShop>()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void Promise.allSettled([...shops].map((shop) => shop.stop())).then(() => process.exit(130))
  })

/**
 * Runs faults in one shop, one after the other, and checks the invariants after each.
 * @param isShown whether to print the output of the processes
 */
async function round(seed: number, chosen: Fault[], isShown: boolean): Promise<Outcome[]> {
  if (chosen.length === 0) return []
  // the faults of a lane share its shop
  const isEmbedded = chosen.some((fault) => fault.isEmbedded)
  if (isEmbedded && cannotMount !== undefined) {
    console.log(`\n${chosen.map(({ name }) => name).join(', ')}: left out, because ${cannotMount}`)
    return []
  }
  const outcomes: Outcome[] = []
  // another run with the same seed must not overwrite it
  const book = openLog(`${seed}-${chosen[0]!.name}-${process.pid}`, isShown)
  const shop = await openFaultShop({ log: book.write, isEmbedded })
  shops.add(shop)
  try {
    for (const fault of chosen) {
      const random = createRandom(seed).fork(fault.name)
      const { name, title } = fault
      const outcome: Outcome = {
        name,
        title,
        seed,
        on: new Date().toISOString().slice(0, 10),
        injected: 0,
        orders: 0,
        seconds: 0,
        said: [],
        findings: [],
      }
      outcomes.push(outcome)
      const began = performance.now()
      let traffic: Traffic | undefined
      try {
        traffic = await openTraffic(shop, random)
        await fault.run({
          shop,
          traffic,
          random,
          injected: (count = 1) => (outcome.injected += count),
          say: (line) => void outcome.said.push(line),
        })
        outcome.findings = await traffic.verify(fault)
        outcome.orders = traffic.promised.orders.size
      } catch (error) {
        outcome.error = error instanceof Error ? error.message : String(error)
      } finally {
        traffic?.close()
      }
      outcome.seconds = (performance.now() - began) / 1000
      tell(outcome)
      if (!stood(outcome)) book.tell(outcome)
      keep(outcome)
    }
  } finally {
    shops.delete(shop)
    await shop.stop()
    book.close(outcomes.every(stood))
  }
  return outcomes
}

/** Writes the output of a shop's processes to a file. It is kept if the shop does not withstand a fault. */
function openLog(name: string, isShown: boolean) {
  const path = join(import.meta.dirname, `../../.data/faults/${name}.log`)
  mkdirSync(dirname(path), { recursive: true })
  let file: number | undefined = openSync(path, 'w')
  return {
    write: (line: string) => {
      if (file !== undefined) writeSync(file, `${line}\n`)
      if (isShown) console.log(pc.dim(line))
    },
    /** Prints the file's path, and its lines about the requests that went wrong. */
    tell: ({ findings }: Outcome) => {
      console.log(`  ${relative(process.cwd(), path)} has the output of the processes`)
      const ids = findings.flatMap(({ violations }) =>
        violations.flatMap((violation) => /X-Request-Id (\S+)\)/.exec(violation)?.[1] ?? []),
      )
      for (const line of readFileSync(path, 'utf8').split('\n'))
        if (ids.some((id) => line.includes(id))) console.log(pc.dim(`  ${line}`))
    },
    close: (isOver: boolean) => {
      closeSync(file!)
      file = undefined
      if (isOver) rmSync(path)
    },
  }
}

function tell(outcome: Outcome) {
  const { name, title, said, findings, error, orders, injected, seconds, seed } = outcome
  console.log(`\n${pc.bold(name)}  ${title}`)
  for (const line of said) console.log(`  ${line}`)
  for (const { name, what, figures, violations } of findings) {
    const mark = violations.length === 0 ? pc.green('✓') : pc.red('✗')
    console.log(`  ${mark} ${name} ${pc.dim(what)}: ${figures}`)
    for (const violation of violations.slice(0, 10)) console.log(pc.red(`      ${violation}`))
    if (violations.length > 10) console.log(pc.red(`      and ${violations.length - 10} more`))
  }
  if (error !== undefined) console.log(pc.red(`  ✗ ${error}`))
  const verdict = stood(outcome) ? pc.green('stood') : pc.red(`FELL (--seed ${seed})`)
  console.log(`  ${verdict}  ${injected} faults, ${orders} orders, ${seconds.toFixed(0)} s`)
}

async function main(): Promise<number> {
  const { values, positionals } = readArguments(usage, {
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      crashes: { type: 'string', default: '20' },
      minutes: { type: 'string', default: '30' },
      mutations: { type: 'string', default: 'Infinity' },
      hours: { type: 'string', default: '0' },
      report: { type: 'boolean', default: false },
      outputFile: { type: 'string' },
      log: { type: 'boolean', default: false },
    },
  })
  // the lanes run in parallel, each in its own shop, because they spend most of their time waiting
  const lanes: Fault[][] = [
    [oversell, stores, clocks, exhaustion, lostUpdates],
    [broker, provider],
    [fenced, relays, deliveries, forged, idempotency, toldToStop, crashes(Number(values.crashes))],
    [fullDisk, supervised],
  ]
  // these run only if named
  const long: Fault[] = [endurance(Number(values.minutes))]
  const faults = [...lanes.flat(), ...long]
  const known = [...faults.map(({ name }) => name), 'mutations']
  const unknown = positionals.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new UserError(`There is no fault ${unknown}. Choose from ${known.join(', ')}.\n${usage}`)
  const chosen = faults.filter((fault) =>
    positionals.length === 0 ? !long.includes(fault) : positionals.includes(fault.name),
  )
  const until = performance.now() + Number(values.hours) * 3_600_000
  const outcomes: Outcome[] = []
  let seed = Number(values.seed ?? Math.floor(Math.random() * 1e9))
  if (chosen.length > 0)
    do {
      console.log(`\nseed ${seed}`)
      const rounds = [...lanes, long].map((lane) =>
        round(
          seed,
          lane.filter((fault) => chosen.includes(fault)),
          values.log,
        ),
      )
      outcomes.push(...(await Promise.all(rounds)).flat())
      seed++
    } while (performance.now() < until)
  const mutations = positionals.includes('mutations')
    ? await mutationsAreCaught(seed, Number(values.mutations))
    : []
  if (values.report) writeFileSync(join(import.meta.dirname, '../../docs/reliability.md'), report())
  if (values.outputFile !== undefined) writeFileSync(values.outputFile, jsonReport(outcomes, mutations))
  const failed = outcomes.filter((one) => !stood(one))
  const all = outcomes.length + mutations.length
  console.log(`\n${all} results in ${(performance.now() / 1000).toFixed(0)} s`)
  const missed = mutations.filter(({ caught }) => !caught)
  return failed.length + missed.length === 0 ? 0 : 1
}

await run(main)
