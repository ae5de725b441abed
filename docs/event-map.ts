import { catalogue } from '../events/catalogue.ts'
import { functions, reactionsOn, type FunctionName } from '../functions/table.ts'

const types = Object.keys(catalogue) as (keyof typeof catalogue)[]

const isScheduled = (type: keyof typeof catalogue) => 'scheduled' in catalogue[type]

const emittersOf = (type: string) =>
  (Object.keys(functions) as FunctionName[]).filter((name) => functions[name].emits.includes(type))

/** Returns docs/events.md: who emits each event and who reacts to it, as a diagram and as a table. */
export const eventMap =
  () => `<!-- Made from the domains' declarations by npm run generate (docs/event-map.ts). -->

# Events: who emits, who reacts

Read the diagram from left to right. Each arrow is an event, from the function that emits it to a reaction. An order begins at \`create-order\`. Each function is in the file \`functions/<domain>/<function>.ts\`. The schema of each event is in [asyncapi.json](asyncapi.json).

\`\`\`mermaid
flowchart LR
${[...groups(), ...arrows()].map((line) => `  ${line}`).join('\n')}
\`\`\`

A clock (⏱) marks a scheduled event. It is published at its date, and its reaction then checks whether there is still anything to do. Nothing else in the shop has a timer.

A projection lags behind the events that it is made from, above all if its reaction has to start first. Where that matters, the change is answered only once its event is in the outbox, and whoever reads the projection also reads the newest of these events. So an order placed after the answer to a change of a price is made at the new price, even if \`project-product\` is not running (\`functions/orders/prices.ts\`).

${table()}
`

/** A box for each domain, with its functions that emit or react. */
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

/** An arrow for each pair of emitter and reaction, labelled with its events. */
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
  const head = ['event', 'meaning', 'emitted by', 'handled by']
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
