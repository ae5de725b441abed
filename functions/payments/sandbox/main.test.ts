import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, it } from 'vitest'

const main = 'functions/payments/sandbox/main.ts'
let dir: string
let child: ChildProcess | undefined
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'zeroshop-sandbox-main-'))
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(dir, { recursive: true })
})

const env = (more: Record<string, string> = {}) => ({
  ...process.env,
  PORT: '0',
  HOST: '127.0.0.1',
  PAYMENT_SANDBOX_JOURNAL: join(dir, 'journal.jsonl'),
  PAYMENT_PROVIDER_KEY: 'k',
  ...more,
})

async function start() {
  child = fork(main, { env: env(), stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] })
  return { child, url: await urlOf(child) }
}

async function urlOf(child: ChildProcess) {
  const [message] = await once(child, 'message')
  return `http://127.0.0.1:${message.listening}`
}

const authorize = (url: string, reference: string) =>
  fetch(`${url}/v1/authorizations`, {
    method: 'POST',
    headers: { authorization: 'Bearer k', 'idempotency-key': reference },
    body: JSON.stringify({ reference, cardToken: 'card_approved', amount: { amount: 1, currency: 'EUR' } }),
  })

it('sends its parent the port, and exits with 0 on SIGTERM', async () => {
  const { child, url } = await start()
  expect((await authorize(url, 'a')).status).toBe(201)
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

it('exits when its parent exits', async () => {
  const { child } = await start()
  child.disconnect()
  expect(await once(child, 'exit')).toEqual([0, null])
})

it('loses no answered request when it is killed', async () => {
  const first = await start()
  const answered: string[] = []
  const exit = once(first.child, 'exit')
  const asked = { enough: false }
  const asking = Array.from({ length: 8 }, async (_, worker) => {
    for (let n = 0; !asked.enough; n++) {
      const reference = `${worker}-${n}`
      const answer = await authorize(first.url, reference).catch(() => undefined)
      if (answer?.status === 201) answered.push(reference)
    }
  })
  await expect.poll(() => answered.length, { timeout: 10_000 }).toBeGreaterThan(200)
  first.child.kill('SIGKILL')
  await exit
  asked.enough = true
  await Promise.all(asking)
  const { url } = await start()
  const journal = await fetch(`${url}/v1/journal`, { headers: { authorization: 'Bearer k' } })
  const kept = (await journal.text()).split('\n').filter((line) => line !== '')
  const references = new Set(kept.map((line) => JSON.parse(line).payment.reference))
  expect(answered.filter((reference) => !references.has(reference))).toEqual([])
  expect(references.size).toBe(kept.length)
})

it('reports a missing setting in one line', async () => {
  child = spawn(process.execPath, [main], { env: env({ PAYMENT_SANDBOX_JOURNAL: '' }) })
  const [said, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit')])
  expect(code).toBe(1)
  expect(said).toMatch(/^zeroshop: the payment sandbox: PAYMENT_SANDBOX_JOURNAL is not set: .*\n$/)
})

it.skipIf(process.platform === 'win32')(
  'exits with 1 when the disk is full, and can start again',
  async () => {
    // `ulimit -f` limits the journal to two blocks; SIGXFSZ is ignored, because a full disk sends no signal
    child = spawn('sh', ['-c', `trap '' XFSZ; ulimit -f 2; exec "$0" ${main}`, process.execPath], {
      env: env(),
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
    const url = await urlOf(child)
    const exit = once(child, 'exit')
    const said = text(child.stderr!)
    const answered: string[] = []
    for (let n = 0; n < 20; n++) {
      const answer = await authorize(url, `n${n}`).catch(() => undefined)
      if (answer?.status !== 201) break
      answered.push(`n${n}`)
    }
    expect((await exit)[0]).toBe(1)
    expect(await said).toMatch(/^zeroshop: the payment sandbox: .*EFBIG.*\n$/)
    const again = await start()
    for (const reference of answered) {
      const found = await fetch(`${again.url}/v1/payments?reference=${reference}`, {
        headers: { authorization: 'Bearer k' },
      })
      expect(await found.json()).toMatchObject({ items: [{ reference }] })
    }
  },
)
