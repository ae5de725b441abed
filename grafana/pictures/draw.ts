import type { Browser } from 'playwright-core'
import type { Bundle } from './bundle.ts'
import type { Drawing, Drawn } from './page/drawing.ts'

/** How wide the pictures are, in pixels. */
export const width = 1400

/** Nothing is sent there. */
const origin = 'http://page'

/**
 * Draws a dashboard.
 * @returns the picture, and what could not be drawn
 * @throws what goes wrong in the page outside of a panel
 */
export async function draw(browser: Browser, { script, style, assetAt }: Bundle, drawing: Drawing) {
  const page = await browser.newPage({
    viewport: { width, height: 900 },
    colorScheme: 'dark',
    locale: 'en-GB',
  })
  const failed = new Promise<never>((_, reject) => page.on('pageerror', reject))
  failed.catch(() => {})
  try {
    await page.route(`${origin}/**`, async (route) => {
      const { pathname } = new URL(route.request().url())
      if (pathname === '/') return route.fulfill({ contentType: 'text/html', body: html(style) })
      const path = assetAt(pathname)
      return route.fulfill(path === undefined ? { status: 404 } : { path })
    })
    await page.goto(origin)
    await page.evaluate(
      (json) => Object.assign(globalThis, { drawing: JSON.parse(json) as unknown }),
      JSON.stringify(drawing),
    )
    await page.addScriptTag({ content: script, type: 'module' })
    const ready = page.waitForFunction(() => (globalThis as { drawn?: Drawn }).drawn)
    const drawn = (await (await Promise.race([ready, failed])).jsonValue()) as Drawn
    return { image: await page.screenshot({ fullPage: true }), drawn }
  } finally {
    await page.close()
  }
}

const html = (style: string) =>
  `<!doctype html><meta charset="utf-8"><style>${style} body { margin: 0 }</style><div id="root"></div>`
