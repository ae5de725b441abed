import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type Axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { dropDeadLetters } from '../../../events/dead-letters.ts'
import { failures, outbox } from '../../../events/tables.ts'
import { openPostgres, type Db } from '../../../functions/shared/store/postgres.ts'
import { placeOrder } from '../../../demo/client/orders.ts'
import { waitForEntries } from '../../../demo/client/timeline.ts'
import type { Person } from '../../../demo/client/shop.ts'
import { findChromium, openChromium } from '../../../test/chromium.ts'
import { startTestSystem, type TestSystem } from '../../../test/system.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const chromium = findChromium()
const wide = { width: 1400, height: 900 }
const narrow = { width: 360, height: 740 }

describe.skipIf(chromium === undefined)('the console’s page in Chromium', () => {
  let shop: TestSystem
  let customer: Person
  let browser: Browser
  let db: Db
  const problems: string[] = []

  beforeAll(async () => {
    ;[shop, browser] = await Promise.all([
      startTestSystem({ OTEL_METRIC_EXPORT_INTERVAL: '200' }, false, { traces: true }),
      openChromium(chromium!),
    ])
    customer = await shop.register()
    db = openPostgres(shop.system.environment.database('events'), { max: 1 })
  })
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()))
    const found = problems.splice(0)
    if (found.length > 0) throw new Error(found.join('\n'))
  })
  afterAll(async () => {
    await browser?.close()
    await db?.close()
    await shop?.stop()
  })

  /** Opens the page. A test fails if the page says anything in the browser's console, or asks another host. */
  async function open(
    options: BrowserContextOptions = {},
    prepare: (page: Page) => Promise<void> = async () => {},
  ): Promise<Page> {
    const page = await (await browser.newContext({ viewport: wide, ...options })).newPage()
    page.on('console', (message) => problems.push(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('request', (request) => {
      if (new URL(request.url()).host !== new URL(shop.system.url).host) problems.push(request.url())
    })
    await prepare(page)
    await page.goto(`${shop.system.url}/_console`)
    await page.getByText('Live', { exact: true }).waitFor()
    return page
  }

  async function order() {
    const { id } = await placeOrder(customer, [{ sku: 'MUG-BLUE', quantity: 1 }])
    await waitForEntries(customer, id, 'order.confirmed')
  }

  /** Emits an event that its only reaction can never handle. */
  async function emitBroken() {
    const [id, subject] = [randomUUID(), randomUUID()]
    await db.insert(outbox).values({ id, type: 'payment.authorized', source: '/payments', subject, data: {} })
    return id
  }

  /** How often an event was delivered to a reaction since the page was opened. */
  const delivered = (page: Page, type: string, reaction: string) =>
    page.locator('#map tbody tr', { hasText: type }).locator('.pair', { hasText: reaction }).textContent()

  const card = (page: Page, name: string) => page.locator('#running li', { hasText: name })

  it('shows a function leave zero and why, its request, and the deliveries that follow', async () => {
    const page = await open()
    await page.locator('#at-zero').getByText('create-order', { exact: true }).waitFor()
    await order()
    await card(page, 'create-order').locator('.count', { hasText: '1 instance' }).waitFor()
    await page.locator('#decisions li', { hasText: 'create-order 1 request after an idle window' }).waitFor()
    await page.locator('#requests li', { hasText: 'POST /api/v1/orders create-order' }).waitFor()
    await page.locator('#deliveries li', { hasText: 'order.placed → reserve-stock handled' }).waitFor()
    expect(await delivered(page, 'order.placed', 'reserve-stock')).toBe('reserve-stock 1')
  })

  it('shows the trace of an order', async () => {
    const page = await open({ bypassCSP: true })
    await order()
    const request = page.locator('#requests li', { hasText: 'POST /api/v1/orders create-order' }).first()
    await request.getByRole('button', { name: /^trace / }).click()
    const dialog = page.getByRole('dialog', { name: /^Trace [\da-f]{32}$/ })
    await dialog.locator('.waterfall li', { hasText: 'confirm-order' }).first().waitFor()
    expect(await violations(page)).toEqual([])
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
  })

  it('moves deliveries on the map, unless the person wants no motion', async () => {
    const count = async (reducedMotion: 'reduce' | 'no-preference') => {
      const page = await open({ reducedMotion })
      await page.evaluate(() => {
        const seen = new MutationObserver((changes) => {
          const dots = changes.flatMap((change) => [...change.addedNodes])
          document.body.dataset['dots'] = String(Number(document.body.dataset['dots'] ?? 0) + dots.length)
        })
        seen.observe(document.querySelector('#map .dots')!, { childList: true })
      })
      await order()
      await expect.poll(() => delivered(page, 'payment.authorized', 'confirm-order')).toBe('confirm-order 1')
      return page.evaluate(() => Number(document.body.dataset['dots'] ?? 0))
    }
    expect(await count('no-preference')).toBeGreaterThan(2)
    expect(await count('reduce')).toBe(0)
  })

  it('shows what was logged as text, whatever it contains', async () => {
    const [eventId, error] = [randomUUID(), '<img src=x onerror=alert(1)>']
    const event = { type: 'dev.zeroshop.order.placed' }
    const row = {
      reaction: 'reserve-stock',
      eventId,
      event,
      attempts: 6,
      error,
      parkedAt: new Date(),
    }
    await db.insert(failures).values(row)
    const page = await open()
    await page.locator('#letters li', { hasText: error }).waitFor()
    expect(await page.locator('#letters img').count()).toBe(0)
    await dropDeadLetters(db, { eventId })
  })

  it('holds still while it is paused', async () => {
    const [still, live] = [await open(), await open()]
    const count = (page: Page) => page.locator('#requests li').count()
    await still.getByRole('button', { name: 'Pause' }).click()
    const before = [await count(still), await count(live)] as const
    await order()
    await expect.poll(() => count(live)).toBeGreaterThan(before[1])
    expect(await count(still)).toBe(before[0])
    await still.getByRole('button', { name: 'Pause', pressed: true }).click()
    await expect.poll(() => count(still)).toBeGreaterThan(before[0])
  })

  it('can be used with the keyboard alone: a dead letter is delivered again, kept and dropped', async () => {
    const id = await emitBroken()
    const page = await open()
    const letter = page.locator('#letters li', { hasText: id })
    await letter.waitFor()
    await reach(page, 'Dead letters')
    await page.keyboard.press('Enter')
    await reach(page, 'Deliver again: payment.authorized for confirm-order')
    const before = await letter.locator('time').getAttribute('datetime')
    await page.keyboard.press('Enter')
    await page.getByText('1 event will be delivered again.').waitFor()
    // it fails again
    await expect.poll(() => letter.locator('time').getAttribute('datetime')).not.toBe(before)

    await reach(page, 'Drop: payment.authorized for confirm-order')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Drop payment.authorized for confirm-order?' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    expect(await focused(page)).toBe('Drop: payment.authorized for confirm-order')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Drop')
    await page.keyboard.press('Enter')
    await page.getByText('1 event is dropped.').waitFor()
    await letter.waitFor({ state: 'detached' })
  })

  it('starts a load, and stops it', async () => {
    const page = await open()
    await page.getByRole('button', { name: 'A usual day' }).click()
    const stop = page.getByRole('button', { name: 'Stop the load' })
    await stop.click()
    await expect.poll(() => stop.isDisabled()).toBe(true)
    expect(await page.getByRole('button', { name: 'A usual day' }).isEnabled()).toBe(true)
  })

  it('connects again by itself', async () => {
    const page = await open({}, async (page) => {
      await page.route('**/_console/events', (route) => route.abort())
      void page
        .getByText('The shop does not answer. Trying again …')
        .waitFor()
        .then(() => page.unrouteAll())
    })
    await page.locator('#requests li').first().waitFor()
    // what the browser says about the failed request
    expect(problems.splice(0)).toEqual(expect.arrayContaining([expect.stringContaining('ERR_FAILED')]))
  })

  it.each([
    ['wide and light', { viewport: wide, colorScheme: 'light' }],
    ['wide and dark', { viewport: wide, colorScheme: 'dark' }],
    ['narrow and light', { viewport: narrow, colorScheme: 'light' }],
    ['narrow and dark', { viewport: narrow, colorScheme: 'dark' }],
  ] as const)('is accessible, and as wide as the screen: %s', async (_, options) => {
    const id = await emitBroken()
    // so that axe can be run in the page
    const page = await open({ ...options, bypassCSP: true })
    await page.locator('#letters li', { hasText: id }).waitFor()
    await page.locator('summary').click()
    expect(await violations(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(options.viewport.width)
  })
})

/** Presses Tab until an element is focused. */
async function reach(page: Page, name: string) {
  for (let n = 0; n < 50 && (await focused(page)) !== name; n += 1) await page.keyboard.press('Tab')
  expect(await focused(page)).toBe(name)
}

const focused = (page: Page) =>
  page.evaluate(
    () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '',
  )

/** Returns what axe finds, as text. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof Axe }
    const found = await axe.run()
    return found.violations.map(({ help, nodes }) => `${help}: ${nodes[0]?.html}`)
  })
}
