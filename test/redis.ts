import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { freePort } from '../local/ports.ts'

/** The server that a machine has: Valkey, or Redis of Debian. */
const program = ['valkey-server', 'redis-server'].find((name) => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})

/** Whether there is a server. Tests that need one are skipped without it. */
export const hasRedis = program !== undefined

/** Said beside the tests that are skipped. */
export const withoutRedis = hasRedis ? '' : ' (skipped: install valkey-server or redis-server)'

/** Starts a server that keeps nothing, on a port of its own. */
export async function startRedis(port?: number) {
  const at = port ?? (await freePort())
  const options = ['--port', String(at), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server: ChildProcess = spawn(program!, options, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: server.stdout! }))
    if (line.includes('Ready to accept connections')) break
  server.stdout!.resume()
  return {
    port: at,
    url: `redis://127.0.0.1:${at}`,
    /** Lets it answer nothing, without closing connections. */
    pause: () => server.kill('SIGSTOP'),
    resume: () => server.kill('SIGCONT'),
    stop: async () => {
      const ended = once(server, 'exit')
      server.kill('SIGKILL')
      await ended
    },
  }
}
