import { fold } from './fold.ts'

/** The longest slug. */
export const maxSlug = 100

/**
 * Returns the form of a text in which it can be part of an address: `Bike parts` is `bike-parts`. It is empty if the text
 * has no letter and no digit. The slug of a slug is the slug itself.
 */
export const slugOf = (text: string): string =>
  fold(text)
    .replaceAll(/[^\p{L}\p{N}\p{M}]+/gu, '-')
    .slice(0, maxSlug)
    .replaceAll(/^-|-$|[\ud800-\udbff]$/g, '')
