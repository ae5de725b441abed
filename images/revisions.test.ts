import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { imageNames } from './table.ts'
import { inputs, revisions } from './revisions.ts'

const found = await inputs()

it('lists the inputs of every image, and each of them exists', () => {
  expect([...found.keys()].toSorted()).toEqual([...imageNames, 'gateway'].toSorted())
  for (const [name, paths] of found)
    for (const path of paths) expect(existsSync(path), `${name}: ${path}`).toBe(true)
})

it('does not list the sources of one function for another', () => {
  expect(found.get('cancel-order')).toContain('functions/orders/cancel-order.ts')
  expect(found.get('cancel-order')).toContain('functions/main.ts')
  expect(found.get('get-order')).not.toContain('functions/orders/cancel-order.ts')
})

it('returns a commit for each image, or nothing without git', async () => {
  const names = await revisions(Promise.resolve(found))
  for (const revision of names?.values() ?? []) expect(revision).toMatch(/^([0-9a-f]{40}|unknown)(-dirty)?$/)
})
