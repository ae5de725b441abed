/**
 * Within each process of a build with failpoints. In the folder that FAILPOINTS names, the file `armed` holds a signal and
 * the point at which one process is to get it, which leaves `fired-PID`; each point that was passed leaves a file in `passed`.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.env['FAILPOINTS']
const me = process.env['FUNCTION'] ?? ''
const passed = new Set<string>()

/** The clock of this process is so much ahead, in ms: as it was told at its start, or by SIGUSR2 since. */
let offset = 0
if (folder !== undefined) {
  const setClock = () => {
    offset = Number(readOr(join(folder, `clock-${me}`), '0'))
    // tells that it runs so, and takes the signal
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

/** Where a process may crash: `reserve-stock | functions/shared/store/transaction.ts:9 commit | before`. */
const pointOf = (site: string, when: string) => `${me} | ${site} | ${when}`

/** Makes a call with a failpoint before it and after it has succeeded. */
export function failpoint<T>(site: string, call: () => T): T {
  if (folder === undefined) return call()
  pass(folder, pointOf(site, 'before'))
  const result = call()
  const after = () => pass(folder, pointOf(site, 'after'))
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') {
    after()
    return result
  }
  // a query of drizzle begins when it is waited for, and so it does here
  return (result as unknown as PromiseLike<unknown>).then((value) => {
    after()
    return value
  }) as T
}

/** The work of a transaction with a failpoint at its end, where all is done and nothing is committed. */
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
    // of several processes one gets it
    renameSync(join(folder, 'armed'), join(folder, `fired-${process.pid}`))
  } catch {
    return
  }
  process.kill(process.pid, signal)
  // it does not come at once
  if (signal === 'SIGKILL') for (;;);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
}
