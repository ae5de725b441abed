import { Hono } from 'hono'
import type { Logger } from 'pino'
import { openReceiver } from '../events/receive.ts'
import { createVerifier } from '../events/signature.ts'
import { reactionOf } from '../functions/source.ts'
import type { ReactionName } from '../functions/table.ts'

interface Options {
  /** Returns the dependencies of a domain's functions. */
  deps: (domain: string) => object
  /** Returns the keys of the deliveries to a reaction. */
  keys: (name: ReactionName) => string[]
  log: Logger
}

/** Returns an app that runs reactions in this process, each at `/<name>`. It answers as their own processes do. */
export async function reactionsApp(names: readonly ReactionName[], { deps, keys, log }: Options) {
  const app = new Hono()
  for (const name of names) {
    const reaction = await reactionOf(name)
    const verify = createVerifier(keys(name))
    const receive = openReceiver(reaction, { deps: deps(reaction.row.domain), verify, log })
    app.post(`/${name}`, async (c) => {
      const body = Buffer.from(await c.req.arrayBuffer())
      const answer = await receive({ headers: c.req.header(), body })
      return new Response(answer.body ?? null, answer)
    })
  }
  return app
}
