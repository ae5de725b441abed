/**
 * Runs in each process of a build with failpoints. In the folder that FAILPOINTS names, the file `armed`
 * contains a signal and a failpoint. The first process that reaches the failpoint gets the signal, and
 * `armed` is renamed to `fired-PID`. Each failpoint that was passed has a file in the folder `passed`.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.env['FAILPOINTS']
const me = process.env['FUNCTION'] ?? ''
const passed = new Set<string>()

/** How far the clock of this process is ahead, in ms. It is read at the start and on each SIGUSR2. */
let offset = 0
if (folder !== undefined) {
  const setClock = () => {
    offset = Number(readOr(join(folder, `clock-${me}`), '0'))
    // shows that the process uses this offset and handles SIGUSR2
    writeFileSync(join(folder, `clock-of-${process.pid}`), String(offset))
  }
  process.on('SIGUSR2', setClock)
  setClock()
  const { now } = Date
  Date.now = () => now() + offset
  globalThis.Date = new Proxy(Date, {
    construct: (target, args: [], as) =>
      Reflect.construct(target, args.length === 0 ? [Date.now()] : args, as) as object,
  })
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return otherwise
  }
}

/** The name of a failpoint: `reserve-stock | functions/shared/store/transaction.ts:9 commit | before`. */
const pointOf = (site: string, when: string) => `${me} | ${site} | ${when}`

/** Makes a call, with a failpoint before it and another after it has succeeded. */
export function failpoint<T>(site: string, call: () => T): T {
  if (folder === undefined) return call()
  pass(folder, pointOf(site, 'before'))
  const result = call()
  const after = () => pass(folder, pointOf(site, 'after'))
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') {
    after()
    return result
  }
  // a Drizzle query starts only when it is awaited, and `then` starts it here
  return (result as unknown as PromiseLike<unknown>).then((value) => {
    after()
    return value
  }) as T
}

/** Wraps the work of a transaction with a failpoint at its end, when all is done and nothing is committed. */
export const within =
  <A extends unknown[], T>(site: string, work: (...args: A) => Promise<T>) =>
  async (...args: A): Promise<T> => {
    const result = await work(...args)
    if (folder !== undefined) pass(folder, pointOf(site, 'within'))
    return result
  }

function pass(folder: string, point: string) {
  if (!passed.has(point)) {
    passed.add(point)
    writeFileSync(join(folder, 'passed', encodeURIComponent(point)), '')
  }
  let signal: string
  try {
    const [wanted, ...at] = readFileSync(join(folder, 'armed'), 'utf8').split(' ')
    if (at.join(' ') !== point) return
    signal = wanted!
    // of several processes, only one succeeds in renaming the file
    renameSync(join(folder, 'armed'), join(folder, `fired-${process.pid}`))
  } catch {
    return
  }
  process.kill(process.pid, signal)
  // the signal may arrive with a delay
  if (signal === 'SIGKILL') for (;;);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
}
