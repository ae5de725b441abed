import { Hono } from 'hono'
import type { Logger } from 'pino'
import { fromCloudEvent } from '../events/cloud-event.ts'
import { runReaction } from '../events/reaction.ts'
import { openDelivery, problemOf } from '../events/receive.ts'
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
    const { row, run, emits, takes } = await reactionOf(name)
    const verify = createVerifier(keys(name))
    app.post(`/${name}`, async (c) => {
      const received = openDelivery(verify, c.req.header(), Buffer.from(await c.req.arrayBuffer()))
      const cause = { domain: row.domain, emits }
      await runReaction(run, fromCloudEvent(received, takes), deps(row.domain), cause)
      return c.body(null, 204)
    })
  }
  app.onError((error) => {
    log.warn({ err: error }, 'reaction failed')
    return problemOf(error).toResponse()
  })
  return app
}
