import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Stripe's own stand-in for its API, which checks requests against Stripe's OpenAPI document. It keeps no state. */
const version = 'v0.203.0'

const folder = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'zeroshop',
  `stripe-mock-${version}`,
)
const program = join(folder, 'stripe-mock')

/** Why stripe-mock cannot run here, or undefined if it can. */
export const lacksStripeMock =
  existsSync(program) || spawnSync('go', ['version']).status === 0
    ? undefined
    : 'stripe-mock needs Go, which is not installed'

/**
 * Starts stripe-mock, and installs it first if that was never done on this machine.
 * @throws if it cannot be installed
 */
export async function startStripeMock() {
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true })
    const module = `github.com/stripe/stripe-mock@${version}`
    const { status, stderr } = spawnSync('go', ['install', module], {
      env: { ...process.env, GOBIN: folder, GOFLAGS: '-modcacherw' },
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`${module} cannot be installed: ${stderr}`)
  }
  const child = spawn(program, ['-http-addr', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'] })
  for await (const line of createInterface({ input: child.stdout })) {
    const [, address] = /address: (\S+:\d+)/.exec(line) ?? []
    if (address === undefined) continue
    child.stdout.resume()
    return {
      url: `http://${address}`,
      close: async () => {
        child.kill()
        await once(child, 'exit')
      },
    }
  }
  throw new Error('stripe-mock ended before it listened')
}
