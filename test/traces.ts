import type { ReceivedSpan } from './otlp-receiver.ts'

/** What a span is called in the tests: `create-order: POST /api/v1/orders`. */
export const labelOf = ({ service, name }: ReceivedSpan) => `${service}: ${name}`

/** Returns the spans whose parent is not in their trace; of a whole tree, this is only its root. */
export function rootsOf(trace: readonly ReceivedSpan[]): ReceivedSpan[] {
  const ids = new Set(trace.map(({ spanId }) => spanId))
  return trace.filter(({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId))
}

/** Returns the labels of a span and of all above it. */
export function pathTo(trace: readonly ReceivedSpan[], label: string): string[] {
  const path: string[] = []
  let span = trace.find((each) => labelOf(each) === label)
  while (span !== undefined) {
    path.unshift(labelOf(span))
    const { parentSpanId } = span
    span = trace.find(({ spanId }) => spanId === parentSpanId)
  }
  return path
}
