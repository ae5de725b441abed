import { spawn } from 'node:child_process'
import { UserError } from '../functions/shared/process/user-error.ts'

/**
 * Runs kubectl with the user's KUBECONFIG. Returns its standard output.
 * @param input its standard input
 * @throws UserError with its standard error if it fails or is not installed
 */
export async function kubectl(args: string[], input?: string): Promise<string> {
  const child = spawn('kubectl', args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const out: string[] = []
  const err: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text))
  child.stdin.on('error', () => {}).end(input)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT'
          ? new UserError('kubectl is not installed. Install it, then try again.')
          : error,
      ),
    )
    child.once('close', resolve)
  })
  if (code !== 0)
    throw new UserError(err.join('').trim() || `kubectl ${args[0]} failed with exit code ${code}`)
  return out.join('')
}

/** Returns the JSON of `kubectl get`. */
export const get = async <T>(args: string[]): Promise<T> =>
  // the caller names the type of the resource
  JSON.parse(await kubectl(['get', ...args, '-o', 'json'])) as T
