import type { Reaction } from '../events/reaction.ts'
import { functions, type FunctionName, type OperationName, type ReactionName } from './functions.ts'
import { ConfigError } from './shared/process/config.ts'
import type { Operation } from './shared/http/operation.ts'

/** The file of a function, relative to the folder of this one, without its ending. */
export function fileOf(name: FunctionName): string {
  return `./${functions[name].domain}/${name}`
}

/**
 * Loads an operation: from its source, or from its bundle where the caller is one, too.
 * @param entry the URL of functions/main.ts or of its bundle, to which every file stands as here
 */
export const loadOperation = (name: OperationName, entry = import.meta.url) => load<Operation>(name, entry)
export const loadReaction = (name: ReactionName, entry = import.meta.url) => load<Reaction>(name, entry)

async function load<F extends { name: string }>(name: FunctionName, entry: string): Promise<F> {
  const ending = entry.endsWith('.ts') ? '.ts' : '.js'
  const { href } = new URL(fileOf(name) + ending, entry)
  const module = (await import(href).catch((error: unknown) => {
    if (!(error instanceof Error && 'url' in error && error.url === href)) throw error
    // an image holds one function, or those of one domain
    throw new ConfigError(`FUNCTION=${name}: this image does not hold it. Run zeroshop/${name}.`)
  })) as Record<string, unknown>
  const found = Object.values(module).find(
    (value) => typeof value === 'object' && value !== null && 'name' in value && value.name === name,
  )
  if (found === undefined) throw new Error(`${fileOf(name)}.ts exports no function named ${name}`)
  return found as F
}
