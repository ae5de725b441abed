import type { Settings } from '../local/environment.ts'
import { demoPassword } from '../local/people.ts'
import { startNats } from '../local/stores/nats.ts'
import { temporaryDataDir } from '../local/stores/temporary.ts'
import { startSystem, type SystemOptions } from '../local/system.ts'
import { testClient } from './client.ts'

/** A whole shop on its own stores, with real HTTP and JetStream, and a client. */
export async function startTestSystem(
  settings: Settings = {},
  inProcess = true,
  more: Partial<SystemOptions> = {},
) {
  const { dataDir, remove } = temporaryDataDir()
  // in its own folder, so that a test can delete it
  const broker = temporaryDataDir()
  let nats = await startNats({ dataDir: broker.dataDir, durable: false })
  const lines: string[] = []
  const system = await startSystem({
    dataDir,
    inProcess,
    durable: false,
    // tests send more than people do
    settings: { LIMITS_FACTOR: '0', ...settings },
    port: 0,
    window: 60,
    maxScale: undefined,
    env: { ...process.env, NATS_URL: nats.url },
    say: () => {},
    log: (name, line) => void lines.push(`${name} ${line}`),
    ...more,
  }).catch(async (error: unknown) => {
    await nats.stop()
    throw error
  })
  return {
    ...testClient(system.url.replace('localhost', '127.0.0.1'), demoPassword),
    system,
    lines,
    dataDir,
    /** Kills the broker and starts it again with an empty disk. */
    loseBroker: async () => {
      const { port, password } = new URL(nats.url)
      process.kill(nats.pid!, 'SIGKILL')
      await nats.died
      await broker.remove()
      nats = await startNats({ dataDir: broker.dataDir, durable: false, port: Number(port), password })
    },
    stop: async () => {
      await system.stop()
      await nats.stop()
      await Promise.all([remove(), broker.remove()])
    },
  }
}

export type TestSystem = Awaited<ReturnType<typeof startTestSystem>>
