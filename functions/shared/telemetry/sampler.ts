/** Decides whether a new trace is recorded. */
export type SampleRoot = (traceId: string) => boolean

export interface Sampler {
  /** Whether a span follows the decision of its parent, if it has one. */
  followsParent: boolean
  root: SampleRoot
}

const always = () => true
const never = () => false

/** Of a trace id, the hexadecimal digits that decide: 52 bits, which a number holds exactly. */
const digits = 13

/** Every process decides alike about a trace, because its id decides. */
const ratio =
  (share: number): SampleRoot =>
  (traceId) =>
    Number.parseInt(traceId.slice(-digits), 16) < share * 2 ** (4 * digits)

/** The samplers of OTEL_TRACES_SAMPLER. The argument is the share of traces, from 0 to 1. */
export const samplers: Readonly<Record<string, (share: number) => Sampler>> = {
  always_on: () => ({ followsParent: false, root: always }),
  always_off: () => ({ followsParent: false, root: never }),
  traceidratio: (share) => ({ followsParent: false, root: ratio(share) }),
  parentbased_always_on: () => ({ followsParent: true, root: always }),
  parentbased_always_off: () => ({ followsParent: true, root: never }),
  parentbased_traceidratio: (share) => ({ followsParent: true, root: ratio(share) }),
}
