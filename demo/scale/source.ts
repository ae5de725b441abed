/** The demo's interface to what runs the functions: a cluster or the local runner. */

/** `kpa`: scaled on concurrency; `hpa`: scaled on CPU; `always`: a fixed number of pods. */
export type ScalingClass = 'kpa' | 'hpa' | 'always'

/** A function or a part of the platform. In the local runner, a pod is a process. */
export interface Part {
  name: string
  class: ScalingClass
  /** The minimum number of pods. */
  floor: number
  desired: number
  ready: number
  starting: number
  /** Requests in flight and queued; undefined if the source cannot count them. */
  concurrency: number | undefined
  /** In per cent of the CPU that its pods request. */
  cpu: { now: number; target: number } | undefined
  panic: boolean
  /** The reason for the last scaling, in the scaler's words. */
  reason: string | undefined
}

export interface Sample {
  /** In ms since 1970. */
  at: number
  parts: Part[]
}

/** A pod that was started during the run. */
export interface ColdStart {
  name: string
  /** In ms since 1970. */
  at: number
  /** The time until it was ready. */
  ms: number
  /** Whether no other pod was ready in the meantime. */
  fromZero: boolean
}

export interface ScaleSource {
  /** Its name, for people. */
  label: string
  /** A note on how to read its numbers. */
  note: string | undefined
  everyMs: number
  /** The autoscaler's window. Nothing scales to zero sooner. */
  windowSeconds: number
  sample: () => Promise<Sample>
  /** The cold starts so far, oldest first. */
  coldStarts: () => ColdStart[]
  close: () => Promise<void>
}

/** Whether all functions that can scale to zero are at zero. */
export const atRest = ({ parts }: Sample) =>
  parts.every(
    (part) =>
      part.class !== 'kpa' ||
      part.floor > 0 ||
      (part.ready === 0 && part.starting === 0 && part.desired === 0),
  )
