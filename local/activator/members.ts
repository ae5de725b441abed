import { startInstance, type Instance, type InstanceOptions } from './instance.ts'
import { connectionsTo, type Connections } from './proxy.ts'

/** In ms: a process that ends sooner than this without having answered counts as one that did not start. */
const settledMs = 10_000
/** In ms: as a rule, the end of a process that was killed is known within this time. */
const doubtMs = 50
/** Knative's default revision timeout, in ms: so long may a stopping process take for its requests. */
const drainMs = 300_000

/** A process of the function. */
export interface Member {
  readonly instance: Instance
  /** By performance.now(). */
  readonly startedAt: number
  state: 'starting' | 'ready' | 'stopping'
  inFlight: number
  /** Whether it has answered a request. */
  answered: boolean
  /** It gets no requests for a moment, because a connection to it broke: it may have ended. */
  doubted: boolean
  /** Undefined until it gets its first request. */
  connections: Connections | undefined
  /** Called when the last request of a stopping member is done. */
  drained: (() => void) | undefined
}

export interface MembersOptions {
  name: string
  /** How many requests a process takes at once. */
  limit: number
  spawn: () => Pick<InstanceOptions, 'command' | 'args' | 'env'>
  log: ((name: string, line: string) => void) | undefined
  /** How long a process may take until its answer begins, in ms. */
  answerWithinMs: number
  /** Called when a process can take requests that it could not before. */
  onFree: () => void
  /** Called when a process has ended that was not stopped, with whether it ended while or soon after it started. */
  onCrash: (member: Member, isFailedStart: boolean) => void
}

export type Members = ReturnType<typeof createMembers>

/** The processes of one function: it starts and stops them, and knows which one is to get the next request. */
export function createMembers({ name, limit, spawn, log, answerWithinMs, onFree, onCrash }: MembersOptions) {
  const members = new Set<Member>()
  let restarts = 0

  function start(): Instance {
    const instance = startInstance({ name, ...spawn(), log })
    const member: Member = {
      instance,
      startedAt: performance.now(),
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
    if (member.state === 'ready') log?.(name, `process ${member.instance.pid} ended unasked: ${how}`)
    const hasSettled = member.answered || performance.now() - member.startedAt >= settledMs
    onCrash(member, member.state === 'starting' || !hasSettled)
  }

  /**
   * Sends a member no new requests, waits for those in flight, then stops its process.
   * @param patience how long to wait for them, in ms
   * @param graceMs how long after SIGTERM it is killed
   */
  async function retire(member: Member, patience: number, graceMs?: number): Promise<void> {
    member.state = 'stopping'
    if (member.inFlight > 0 && patience > 0) await drained(member, patience)
    // without idle connections, the process has nothing to wait for
    disconnect(member)
    await member.instance.stop(graceMs)
  }

  return {
    start,

    /** Stops the one that is missed least, once its requests are done. */
    stopOne(): void {
      const member = mostDispensable(members)
      if (member) void retire(member, drainMs)
    },

    /** Stops all at once: SIGTERM, then SIGKILL after `graceMs`. */
    stopAll: (graceMs: number) => Promise.all([...members].map((member) => retire(member, 0, graceMs))),

    /** Stops one that runs but does not listen any more, or whose end is not known yet. */
    giveUp(member: Member): void {
      if (member.state !== 'ready' || !members.has(member)) return
      restarts += 1
      void retire(member, 0)
    },

    /** Sends a member nothing for a moment, since it may have ended: then another one can have its requests. */
    doubt(member: Member): void {
      if (member.doubted) return
      member.doubted = true
      setTimeout(() => {
        member.doubted = false
        onFree()
      }, doubtMs)
    },

    /** The one that is to get the next request, if any can take one more. */
    next: () => leastLoaded(members, limit),

    connectionsOf: (member: Member): Connections =>
      (member.connections ??= connectionsTo(member.instance.port, answerWithinMs)),

    counts: () => countStates(members),

    /** One that is ready or starting. */
    running: () => [...members].find(({ state }) => state !== 'stopping')?.instance,

    /** Processes that ended without being stopped, never listened, or listened no more. */
    restarts: () => restarts,

    list: (): readonly Member[] => [...members],
  }
}

/** Resolves when the last request of a member is done or its process has ended, and at the latest after `ms`. */
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

/** Ends idle connections now, the others when their requests are done. */
function disconnect({ connections }: Member): void {
  // with a callback, closing twice is no error
  connections?.close(() => {})
}

type Load = Pick<Member, 'state' | 'inFlight' | 'doubted'>

/** The ready member with the fewest requests, if it can take one more. */
export function leastLoaded<M extends Load>(members: Iterable<M>, limit: number): M | undefined {
  let best: M | undefined
  for (const member of members)
    if (member.state === 'ready' && !member.doubted && member.inFlight < (best?.inFlight ?? limit))
      best = member
  return best
}

/** A member that is still starting, else the one with the fewest requests; of equals, the youngest. */
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
