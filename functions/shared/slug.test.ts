import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { maxSlug, slugOf } from './slug.ts'

it.each([
  ['mugs', 'mugs'],
  ['Bike parts', 'bike-parts'],
  ['  Café & Küche — neu! ', 'cafe-kuche-neu'],
  ['Straße', 'strasse'],
  ['自転車 部品', '自転車-部品'],
  ['हिन्दी', 'हिन्दी'],
  ['!?', ''],
])('makes a slug of a name: %s', (name, slug) => {
  expect(slugOf(name)).toBe(slug)
})

it('makes no other slug of a slug, and none that is too long', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 150 }), (name) => {
      const slug = slugOf(name)
      expect(slugOf(slug)).toBe(slug)
      expect(slug.length).toBeLessThanOrEqual(maxSlug)
      expect(slug.isWellFormed()).toBe(true)
    }),
  )
})
