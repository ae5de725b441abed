/** The attributes of a point, by their names. */
export type PointAttributes = Readonly<Record<string, string | number | undefined>>

/** A point of a metric, with the attributes that tell it from the others. */
export interface Series<P> {
  key: string
  attributes: PointAttributes
  point: P
}

/** How many sets of attributes a metric may have between two exports, as OpenTelemetry's specification proposes. */
export const cardinalityLimit = 2_000

/** What is counted beyond the limit is counted with this attribute alone, as the specification says. */
const overflow = { key: 'otel.metric.overflow', attributes: { 'otel.metric.overflow': 'true' } }

/**
 * Keeps a point for each set of attributes, up to a limit, so that no mistake in an attribute can use up the memory.
 * @param names the attributes that tell points apart
 */
export function createSeries<P>(names: readonly string[], create: () => P, limit = cardinalityLimit) {
  let series = new Map<string, Series<P>>()
  /** Points by attributes that never change, so that their key is made only once. */
  let known = new Map<PointAttributes, P>()

  function find(key: string, attributes: PointAttributes): P {
    const found = series.get(key)
    if (found !== undefined) return found.point
    if (series.size >= limit - 1 && key !== overflow.key) return find(overflow.key, overflow.attributes)
    const point = create()
    series.set(key, { key, attributes, point })
    return point
  }

  return {
    /** Returns the point of these attributes. */
    of(attributes: PointAttributes): P {
      const point = known.get(attributes)
      if (point !== undefined) return point
      let key = ''
      for (const name of names) key += `${attributes[name] ?? ''}\n`
      const found = find(key, attributes)
      if (Object.isFrozen(attributes) && known.size < limit) known.set(attributes, found)
      return found
    },
    /** Returns the points since the last call, and begins anew. */
    take(): Series<P>[] {
      const taken = [...series.values()]
      series = new Map()
      known = new Map()
      return taken
    },
    /** Adds points that were taken, but have not arrived. */
    putBack(taken: readonly Series<P>[], merge: (into: P, point: P) => void) {
      for (const { key, attributes, point } of taken) merge(find(key, attributes), point)
    },
  }
}
