import { spawn } from 'node:child_process'
import { StoreError } from './stores/store.ts'

/**
 * Runs a Node script to its end; where it fails, throws with what it said last.
 * @param input given to it on standard input
 */
export async function run(what: string, script: string, args: string[] = [], input = ''): Promise<void> {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4_000)
    })
  child.stdin.on('error', () => {}).end(input)
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  )
  if (code !== 0) throw new StoreError(`${what} failed:\n${output.trim()}`)
}
