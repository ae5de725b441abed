import { spawn } from 'node:child_process'
import { signal as send } from './stores/process.ts'
import { UserError } from '../functions/shared/process/user-error.ts'

/**
 * Runs a Node script until it ends.
 * @param what what the script does, for messages
 * @param env its environment (default: ours)
 * @param signal kills the script and the processes that it has started
 * @throws UserError with the script's output if it fails
 */
export async function run(
  what: string,
  script: string,
  { args = [], env, signal }: { args?: string[]; env?: NodeJS.ProcessEnv; signal?: AbortSignal } = {},
): Promise<void> {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(env && { env }),
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4_000)
    })
  const kill = () => child.pid !== undefined && send(-child.pid, 'SIGKILL')
  if (signal?.aborted) kill()
  signal?.addEventListener('abort', kill)
  const how = await new Promise<number | string | null>((resolve, reject) =>
    child.once('error', reject).once('close', (code, signal) => resolve(code ?? signal)),
  ).finally(() => signal?.removeEventListener('abort', kill))
  if (how === 0) return
  const said = output.trim().replace(/^zeroshop: /, '')
  // a single line is a message for the user; more is the trace of a bug or, when bundling, of a mistake in the code
  if (said !== '' && !said.includes('\n')) throw new UserError(said)
  throw new UserError(`${what} failed (${how})${said === '' ? '.' : `:\n${said}`}`)
}
