/** What the demo asks of whatever runs the functions: a cluster, or the local runner. */

/** `kpa`: scaled on concurrency; `hpa`: on CPU; `always`: as many as someone said. */
export type ScalingClass = 'kpa' | 'hpa' | 'always'

/** A function, or a part of the platform; a pod is a process in the local runner. */
export interface Part {
  name: string
  class: ScalingClass
  /** There are never fewer pods. */
  floor: number
  desired: number
  ready: number
  starting: number
  /** Requests in flight and queued, where the source knows. */
  concurrency: number | undefined
  /** Of what its pods request, in per cent. */
  cpu: { now: number; target: number } | undefined
  panic: boolean
  /** Why it was scaled last, in the scaler's words. */
  reason: string | undefined
}

export interface Sample {
  /** In ms since 1970. */
  at: number
  parts: Part[]
}

/** A pod that was started while we looked. */
export interface ColdStart {
  name: string
  /** In ms since 1970. */
  at: number
  /** Until it was ready. */
  ms: number
  /** Whether no other pod could answer meanwhile. */
  fromZero: boolean
}

export interface ScaleSource {
  /** What it is, for people. */
  label: string
  /** What one has to know to read its numbers. */
  note: string | undefined
  everyMs: number
  /** How long the autoscaler looks back: nothing goes to zero sooner. */
  windowSeconds: number
  sample: () => Promise<Sample>
  /** Those that were seen so far, oldest first. */
  coldStarts: () => ColdStart[]
  close: () => Promise<void>
}

/** Whether nothing runs that need not. */
export const atRest = ({ parts }: Sample) =>
  parts.every(
    (part) =>
      part.class !== 'kpa' ||
      part.floor > 0 ||
      (part.ready === 0 && part.starting === 0 && part.desired === 0),
  )
