import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { domainNames, domains } from '../functions/table.ts'

const root = join(import.meta.dirname, '..')
const sources = domainNames
  .filter((domain) => domains[domain].store === 'mongodb')
  .flatMap((domain) => globSync(`functions/${domain}/**/*.ts`, { cwd: root }))
  .filter((path) => !path.endsWith('.test.ts'))

/** With one of these, the embedded server uses no index, and reads the whole collection. */
const unindexed = /\$(?:or|nor|and|expr|where)\b/

it.each(sources)('%s asks MongoDB for nothing that takes a whole collection', (path) => {
  expect(readFileSync(join(root, path), 'utf8')).not.toMatch(unindexed)
})
