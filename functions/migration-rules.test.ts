import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { migrationFolders } from '../images/bundle.ts'
import { breakingChanges, breakingReason, oldestVersion } from './migration-rules.ts'

const files = migrationFolders.flatMap((folder) =>
  readdirSync(folder).flatMap((file) => (file.endsWith('.sql') ? [join(folder, file)] : [])),
)

it('finds the migrations of every schema', () => {
  expect(files.length).toBeGreaterThanOrEqual(migrationFolders.length)
})

it.each(files)('does not break older code, or has a breaking line: %s', (file) => {
  const sql = readFileSync(file, 'utf8')
  expect(breakingReason(sql) ?? breakingChanges(sql).join()).toBe(breakingReason(sql) ?? '')
})

it.each([
  ['DROP TABLE "stock"."items";', 'drops a table or column'],
  ['ALTER TABLE "a"."b" DROP COLUMN "c";', 'drops a table or column'],
  ['ALTER TABLE "a"."b" RENAME COLUMN "c" TO "d";', 'renames'],
  ['ALTER TABLE "a"."b" RENAME TO "c";', 'renames'],
  ['ALTER TABLE "a"."b" ALTER COLUMN "c" SET DATA TYPE bigint;', 'changes the type of a column'],
  ['ALTER TABLE "a"."b" ALTER COLUMN "c" SET NOT NULL;', 'makes an existing column not null'],
  [
    'ALTER TABLE "a"."b" ADD COLUMN "c" integer NOT NULL;',
    'adds a column that is not null and has no default',
  ],
  [
    'ALTER TABLE "a"."b" ADD COLUMN "c" integer;\nALTER TABLE "a"."b" ADD COLUMN "d" text NOT NULL;',
    'adds a column that is not null and has no default',
  ],
])('finds what breaks older code: %s', (sql, what) => {
  expect(breakingChanges(sql)).toEqual([what])
})

it.each([
  'ALTER TABLE "a"."b" ADD COLUMN "c" integer;',
  'ALTER TABLE "a"."b" ADD COLUMN "c" integer DEFAULT 0 NOT NULL;',
  'CREATE TABLE "a"."b" ("c" integer NOT NULL);',
  'DROP INDEX "a"."b";',
  'ALTER TABLE "a"."b" ALTER COLUMN "c" SET DEFAULT 1;',
  '-- drop table was not needed\nCREATE INDEX "i" ON "a"."b" ("c");',
])('accepts what does not break older code: %s', (sql) => {
  expect(breakingChanges(sql)).toEqual([])
})

it('reads why a migration breaks older code', () => {
  const sql = '-- breaking: no version since 3 reads it\nALTER TABLE "a"."b" DROP COLUMN "c";'
  expect(breakingReason(sql)).toBe('no version since 3 reads it')
  expect(breakingReason('ALTER TABLE "a"."b" DROP COLUMN "c";')).toBeUndefined()
})

it('computes the oldest version that can run on a store', () => {
  expect(oldestVersion([])).toBe(0)
  expect(oldestVersion([false, false])).toBe(0)
  expect(oldestVersion([false, true, false])).toBe(2)
})
