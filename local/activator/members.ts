import { startInstance, type Instance, type InstanceOptions } from './instance.ts'
import { connectionsTo, type Connections } from './proxy.ts'

/** If a process ends within this time and has not answered a request, its start counts as failed, in ms. */
const settledMs = 10_000
/** How long it takes until we learn that a process was killed, in ms; usually a tenth, if the machine is not busy. */
const doubtMs = 500
/** How long a stopping process may take to finish its requests, in ms: Knative's default revision timeout. */
const drainMs = 300_000

/** A process of the function. */
export interface Member {
  readonly instance: Instance
  state: 'starting' | 'ready' | 'stopping'
  inFlight: number
  /** Whether it has answered a request. */
  answered: boolean
  /** Whether it gets no requests for a moment, because a connection to it broke and it may have ended. */
  doubted: boolean
  /** Undefined until the first request. */
  connections: Connections | undefined
  /** Called when the last request of a stopping member is done. */
  drained: (() => void) | undefined
}

export interface MembersOptions {
  name: string
  /** How many requests a process handles at once. */
  limit: number
  spawn: () => Pick<InstanceOptions, 'command' | 'args' | 'env'>
  turn: InstanceOptions['turn']
  log: ((name: string, line: string) => void) | undefined
  /** How long a process may take to begin its answer, in ms. */
  answerWithinMs: number
  /** Called when a process may be able to take more requests than before. */
  onFree: () => void
  /** Called when a process has ended without being stopped. `isFailedStart`: it did not start, or ended soon after. */
  onCrash: (member: Member, isFailedStart: boolean) => void
}

export type Members = ReturnType<typeof createMembers>

/** Starts and stops the processes of a function, and chooses one for each request. */
export function createMembers({
  name,
  limit,
  spawn,
  turn,
  log,
  answerWithinMs,
  onFree,
  onCrash,
}: MembersOptions) {
  const members = new Set<Member>()
  let restarts = 0

  function start(): Instance {
    const instance = startInstance({ name, ...spawn(), turn, log })
    const member: Member = {
      instance,
      state: 'starting',
      inFlight: 0,
      answered: false,
      doubted: false,
      connections: undefined,
      drained: undefined,
    }
    members.add(member)
    void begin(member)
    return instance
  }

  async function begin(member: Member): Promise<void> {
    void member.instance.exited.then((how) => ended(member, how))
    try {
      await member.instance.ready
    } catch (error) {
      if (member.state === 'starting') log?.(name, error instanceof Error ? error.message : String(error))
      return
    }
    if (member.state !== 'starting') return
    member.state = 'ready'
    onFree()
  }

  function ended(member: Member, how: string): void {
    members.delete(member)
    disconnect(member)
    if (member.state === 'stopping') return
    restarts += 1
    if (member.state === 'ready') log?.(name, `process ${member.instance.pid} ended unexpectedly: ${how}`)
    const hasSettled = member.answered || performance.now() - member.instance.startedTick >= settledMs
    onCrash(member, member.state === 'starting' || !hasSettled)
  }

  /**
   * Sends no more requests to a member, waits for those in flight, then stops its process.
   * @param patience how long to wait for them, in ms
   * @param graceMs how long to wait between SIGTERM and SIGKILL, in ms
   */
  async function retire(member: Member, patience: number, graceMs?: number): Promise<void> {
    member.state = 'stopping'
    if (member.inFlight > 0 && patience > 0) await drained(member, patience)
    // idle connections would only delay the end of the process
    disconnect(member)
    await member.instance.stop(graceMs)
  }

  return {
    start,

    /** Chooses the most dispensable process and stops it once its requests are done. */
    stopOne(): void {
      const member = mostDispensable(members)
      if (member) void retire(member, drainMs)
    },

    /** Stops all processes: sends SIGTERM, and SIGKILL after `graceMs`. */
    stopAll: (graceMs: number) => Promise.all([...members].map((member) => retire(member, 0, graceMs))),

    /** Stops a process that no longer listens. It may have ended already. */
    giveUp(member: Member): void {
      if (member.state !== 'ready' || !members.has(member)) return
      restarts += 1
      void retire(member, 0)
    },

    /** Sends no requests to a member for a moment, because it may have ended. Other members get them. */
    doubt(member: Member): void {
      if (member.doubted) return
      member.doubted = true
      setTimeout(() => {
        member.doubted = false
        onFree()
      }, doubtMs)
    },

    /** Returns the process for the next request, or undefined if all are busy. */
    next: () => leastLoaded(members, limit),

    connectionsOf: (member: Member): Connections =>
      (member.connections ??= connectionsTo(member.instance.port, answerWithinMs)),

    counts: () => countStates(members),

    /** Returns a process that is ready or starting, or undefined. */
    running: () => [...members].find(({ state }) => state !== 'stopping')?.instance,

    /** Returns how many processes ended without being stopped, did not start or stopped listening. */
    restarts: () => restarts,

    list: (): readonly Member[] => [...members],
  }
}

/** Resolves when the last request of a member is done or its process has ended, but after `ms` at the latest. */
function drained(member: Member, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    member.drained = () => {
      clearTimeout(timer)
      resolve()
    }
    void member.instance.exited.then(member.drained)
  })
}

/** Closes idle connections now, and the others when their requests are done. */
function disconnect({ connections }: Member): void {
  // without a callback, closing twice would be an error
  connections?.close(() => {})
}

type Load = Pick<Member, 'state' | 'inFlight' | 'doubted'>

/** Returns the ready member with the fewest requests, or undefined if none can take one more. */
export function leastLoaded<M extends Load>(members: Iterable<M>, limit: number): M | undefined {
  let best: M | undefined
  for (const member of members)
    if (member.state === 'ready' && !member.doubted && member.inFlight < (best?.inFlight ?? limit))
      best = member
  return best
}

/** Returns a member that is still starting, or else the one with the fewest requests. Among equals, the newest. */
export function mostDispensable<M extends Load>(members: Iterable<M>): M | undefined {
  let chosen: M | undefined
  for (const member of members) {
    if (member.state === 'stopping') continue
    const isSpare = member.state === 'starting' && chosen?.state !== 'starting'
    if (!chosen || isSpare || (chosen.state === member.state && member.inFlight <= chosen.inFlight))
      chosen = member
  }
  return chosen
}

export function countStates(members: Iterable<Pick<Member, 'state'>>) {
  const counts = { starting: 0, ready: 0, stopping: 0 }
  for (const { state } of members) counts[state] += 1
  return counts
}
