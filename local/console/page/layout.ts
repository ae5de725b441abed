import type { EventRow, FunctionRow } from '../wire.ts'

/** Where the parts of the map of events are. All lengths are in the units of the SVG. */
export interface Layout {
  width: number
  height: number
  domains: Box[]
  functions: (Box & { isReaction: boolean })[]
  events: (Box & { isScheduled: boolean })[]
  /** From a function to an event that it emits; both are in one domain. */
  emits: Line[]
  /** From an event to a reaction. */
  deliveries: Line[]
}

interface Box {
  name: string
  x: number
  y: number
  width: number
  height: number
}

interface Line {
  from: string
  to: string
  path: string
}

const row = 26
const boxHeight = 20
const padding = 12
const title = 26
const functionWidth = 150
const eventWidth = 150
const between = 34
const domainWidth = 2 * padding + functionWidth + between + eventWidth
/** The room for lines between the columns of domains, and beside them. */
const gap = 56
const rowGap = 24

/** Lays out the map: a box for each domain, in columns as wide as there is room for. */
export function layOut(
  functions: readonly FunctionRow[],
  events: readonly EventRow[],
  availableWidth: number,
): Layout {
  const members = functions.filter(({ emits, on }) => emits.length + on.length > 0)
  const names = [...new Set([...members, ...events].map(({ domain }) => domain))]
  const columns = Math.max(
    1,
    Math.min(names.length, 3, Math.floor((availableWidth - gap) / (domainWidth + gap))),
  )
  const heights = Array.from({ length: columns }, () => 0)
  const found: Layout = {
    width: gap + columns * (domainWidth + gap),
    height: 0,
    domains: [],
    functions: [],
    events: [],
    emits: [],
    deliveries: [],
  }
  for (const domain of names) {
    const own = members.filter((member) => member.domain === domain)
    const emitted = events.filter((event) => event.domain === domain)
    // the shortest column
    const column = heights.indexOf(Math.min(...heights))
    const [x, y] = [gap + column * (domainWidth + gap), heights[column]!]
    const rows = Math.max(own.length, emitted.length)
    const height = title + rows * row + padding
    found.domains.push({ name: domain, x, y, width: domainWidth, height })
    // the shorter list is centred beside the longer one
    const top = (count: number, n: number) =>
      y + title + (n + (rows - count) / 2) * row + (row - boxHeight) / 2
    own.forEach(({ name, on }, n) =>
      found.functions.push({
        name,
        isReaction: on.length > 0,
        x: x + padding,
        y: top(own.length, n),
        width: functionWidth,
        height: boxHeight,
      }),
    )
    emitted.forEach(({ type, scheduled }, n) =>
      found.events.push({
        name: type,
        isScheduled: scheduled,
        x: x + padding + functionWidth + between,
        y: top(emitted.length, n),
        width: eventWidth,
        height: boxHeight,
      }),
    )
    heights[column] = y + height + rowGap
  }
  found.height = Math.max(...heights) - rowGap
  const functionAt = new Map(found.functions.map((box) => [box.name, box]))
  const eventAt = new Map(found.events.map((box) => [box.name, box]))
  for (const { name, emits, on } of members) {
    for (const type of emits) {
      const [from, to] = [functionAt.get(name), eventAt.get(type)]
      if (from && to) found.emits.push({ from: name, to: type, path: curve(from, to) })
    }
    for (const type of on) {
      const [from, to] = [eventAt.get(type), functionAt.get(name)]
      if (from && to) found.deliveries.push({ from: type, to: name, path: curve(from, to) })
    }
  }
  return found
}

/** A curve from the right side of a box to the left side of another. */
function curve(from: Box, to: Box): string {
  const [x1, y1] = [from.x + from.width, from.y + from.height / 2]
  const [x2, y2] = [to.x, to.y + to.height / 2]
  // a line that leads back leaves and arrives in a wider arc
  const bend = x2 > x1 ? Math.max(20, (x2 - x1) / 2) : gap
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
}
