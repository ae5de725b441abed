import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { build, stop } from 'esbuild'
import { filePage, type Page } from '../pages.ts'

const folder = join(import.meta.dirname, 'page')

/** The page's files by their paths below the console's. */
export const files: Readonly<Record<string, () => Page | Promise<Page>>> = {
  '': () => filePage(join(folder, 'index.html')),
  '/style.css': () => filePage(join(folder, 'style.css')),
  '/icon.svg': () => filePage(join(folder, 'icon.svg')),
  // requests at the same time share a build, because the first to end would stop the compiler of the others
  '/main.js': () => (building ??= buildScript().finally(() => (building = undefined))),
}

let building: Promise<Page> | undefined

/** Returns the page's script as browsers run it. It is made anew each time, which takes some 30 ms. */
async function buildScript(): Promise<Page> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'main.ts')],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  })
  // ends its process
  await stop()
  const { contents } = outputFiles[0]!
  const etag = `"${createHash('sha256').update(contents).digest('base64url').slice(0, 22)}"`
  return { type: 'text/javascript', etag, read: () => Buffer.from(contents) }
}
