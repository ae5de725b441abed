import { countStates, type Member } from './members.ts'
import type { Change, Scaling } from './scaling.ts'

export interface InstanceReport {
  pid: number | undefined
  state: Member['state']
  inFlight: number
  startedAt: string
  /** The time from spawning to listening, in ms. */
  startMs: number | undefined
}

export interface FunctionReport {
  state: 'idle' | 'starting' | 'ready' | 'stopping' | 'failing'
  instances: InstanceReport[]
  concurrency: { stable: number; panic: number; inFlight: number; queued: number }
  desired: number
  panic: boolean
  /** How many processes ended without being stopped, or did not start. */
  restarts: number
  /** The latest changes, oldest first. */
  decisions: Change[]
}

/** Returns the state of a function, for `GET /_scale`. */
export function reportOf(
  now: number,
  {
    members,
    scaling,
    inFlight,
    queued,
    restarts,
  }: { members: readonly Member[]; scaling: Scaling; inFlight: number; queued: number; restarts: number },
): FunctionReport {
  const { stable, short, desired, panic, changes } = scaling.report(now)
  return {
    state: stateOf(members, scaling.pause(now) > 0),
    instances: members.map(({ instance, state, inFlight }) => ({
      pid: instance.pid,
      state,
      inFlight,
      startedAt: instance.startedAt.toISOString(),
      startMs: instance.startMs === undefined ? undefined : Math.round(instance.startMs),
    })),
    concurrency: { stable: round(stable), panic: round(short), inFlight, queued },
    desired,
    panic,
    restarts,
    decisions: changes,
  }
}

function stateOf(members: readonly Pick<Member, 'state'>[], isPaused: boolean): FunctionReport['state'] {
  const { ready, starting } = countStates(members)
  if (ready > 0) return 'ready'
  if (isPaused) return 'failing'
  if (starting > 0) return 'starting'
  return members.length > 0 ? 'stopping' : 'idle'
}

const round = (value: number) => Math.round(value * 100) / 100
