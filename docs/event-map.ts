import { catalogue } from '../events/catalogue.ts'
import { functions, reactionsOn, type FunctionName } from '../functions/table.ts'

const types = Object.keys(catalogue) as (keyof typeof catalogue)[]

const isScheduled = (type: keyof typeof catalogue) => 'scheduled' in catalogue[type]

const emittersOf = (type: string) =>
  (Object.keys(functions) as FunctionName[]).filter((name) => functions[name].emits.includes(type))

/** docs/events.md: who emits each event and who reacts to it, as a drawing and as a table. */
export const eventMap =
  () => `<!-- Made from the domains' declarations by npm run generate (docs/event-map.ts). -->

# Events: who emits, who reacts

Read the drawing from left to right: each arrow is an event, from the function that emits it to a reaction. An order begins at \`create-order\`. A function's file is \`functions/<domain>/<function>.ts\`; the shape of each event is in [asyncapi.json](asyncapi.json).

\`\`\`mermaid
flowchart LR
${[...groups(), ...arrows()].map((line) => `  ${line}`).join('\n')}
\`\`\`

A clock (⏱) marks an event with a date: it is published when that has come, and its reaction then looks whether there is anything left to do. Nothing else in the shop has a timer.

${table()}
`

/** A box for each domain, with those of its functions that emit or react. */
function groups(): string[] {
  const taking = new Set<string>(types.flatMap((type) => [...emittersOf(type), ...reactionsOn(type)]))
  const members = Map.groupBy(
    (Object.keys(functions) as FunctionName[]).filter((name) => taking.has(name)),
    (name) => functions[name].domain,
  )
  return [...members].flatMap(([domain, names]) => [
    `subgraph ${domain}`,
    ...names.map((name) => ('on' in functions[name] ? `  ${name}(${name})` : `  ${name}[/${name}/]`)),
    'end',
  ])
}

/** An arrow for each emitter and reaction, with the events that go that way. */
function arrows(): string[] {
  const ways = new Map<string, string[]>()
  for (const type of types)
    for (const from of emittersOf(type))
      for (const to of reactionsOn(type)) {
        const way = `${from} ${to}`
        ways.set(way, [...(ways.get(way) ?? []), `${isScheduled(type) ? '⏱ ' : ''}${type}`])
      }
  return [...ways].map(([way, events]) => {
    const [from, to] = way.split(' ')
    return `${from} -->|${events.join('<br>')}| ${to}`
  })
}

function table(): string {
  const code = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(' ') || '–'
  const rows = types.map((type) => [
    code([type]),
    catalogue[type].summary,
    code(emittersOf(type)),
    code(reactionsOn(type)),
  ])
  const head = ['event', 'what it says', 'emitted by', 'taken by']
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
