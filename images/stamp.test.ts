import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { temporaryFolder } from '../local/stores/temporary.ts'
import { isCurrent, stamped } from './stamp.ts'

let folder: string
let remove: () => void
const write = (path: string, contents = '') => writeFileSync(join(folder, path), contents)

beforeEach(() => {
  ;({ folder, remove } = temporaryFolder())
  for (const name of ['functions/orders', 'events', 'images', 'node_modules', 'dist'])
    mkdirSync(join(folder, name), { recursive: true })
  write('package-lock.json')
  write('functions/orders/order.ts', 'a')
  write('node_modules/hono.js')
})
afterEach(() => remove())

/** Makes a bundle, and returns whether it is current after a change. */
async function isCurrentAfter(change: () => void, meanwhile = () => {}): Promise<boolean> {
  const make = async () => {
    write('dist/main.js')
    meanwhile()
    return { packages: ['node_modules/hono.js'], files: ['main.js'] }
  }
  write('dist/stamp.json', await stamped(folder, make))
  change()
  return isCurrent(folder, join(folder, 'dist'), join(folder, 'dist/stamp.json'))
}

it('is current until something changes', async () => {
  expect(await isCurrentAfter(() => {})).toBe(true)
})

it.each<[string, () => void]>([
  ['a source has other contents', () => write('functions/orders/order.ts', 'b and more')],
  [
    'a source was saved again',
    () => utimesSync(join(folder, 'functions/orders/order.ts'), new Date(0), new Date(0)),
  ],
  ['a source is added', () => write('functions/orders/another.ts')],
  ['a source is gone', () => rmSync(join(folder, 'functions/orders/order.ts'))],
  ['packages were installed', () => write('package-lock.json', '{}')],
  ['a file of a package was edited', () => write('node_modules/hono.js', 'debugger')],
  ['a file of the bundle is gone', () => rmSync(join(folder, 'dist/main.js'))],
  ['the stamp is gone', () => rmSync(join(folder, 'dist/stamp.json'))],
])('is made again if %s', async (_, change) => {
  expect(await isCurrentAfter(change)).toBe(false)
})

it('is made again if a source was changed while it was made', async () => {
  expect(
    await isCurrentAfter(
      () => {},
      () => write('functions/orders/order.ts', 'b and more'),
    ),
  ).toBe(false)
})
