import { spawn } from 'node:child_process'

/**
 * Runs programs one after the other until one fails. Ctrl-C is handled by the program that is running.
 * @returns the exit code of the last program that ran
 */
export async function runSteps(steps: [program: string, ...args: string[]][]): Promise<number> {
  process.on('SIGINT', () => {})
  for (const [program, ...args] of steps) {
    const child = spawn(program, args, { stdio: 'inherit', shell: process.platform === 'win32' })
    const pass = () => child.kill('SIGTERM')
    process.on('SIGTERM', pass)
    const code = await new Promise<number>((resolve, reject) =>
      child.once('error', reject).once('close', (code) => resolve(code ?? 1)),
    )
    process.removeListener('SIGTERM', pass)
    if (code !== 0) return code
  }
  return 0
}
