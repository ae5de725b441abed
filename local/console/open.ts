import { sendProblem } from '../activator/problem.ts'
import type { Handler } from '../front.ts'
import type { Console, ConsoleOptions } from './console.ts'

/** Opens the console with the first request to it, so that it costs nothing until then. */
export function lazyConsole(options: ConsoleOptions): { handle: Handler; close: () => Promise<void> } {
  let opening: Promise<Console | undefined> | undefined
  const open = () =>
    import('./console.ts')
      .then(({ openConsole }) => openConsole(options))
      .catch((error: unknown) => {
        options.log(`cannot be opened: ${String(error)}`)
        return undefined
      })
  return {
    handle(request, response) {
      opening ??= open()
      void opening.then((console) => {
        if (console === undefined) sendProblem(response, 'bad-gateway')
        else console.handle(request, response)
      })
    },
    close: async () => (await opening)?.close(),
  }
}

/** Has the console answer requests for its paths. It decides itself for which hosts, and for which pages. */
export const withConsole =
  (console: Handler, next: Handler): Handler =>
  (request, response) =>
    isOfConsole.test(request.url ?? '') ? console(request, response) : next(request, response)

const isOfConsole = /^\/_console(?:[/?]|$)/
