import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { copyProject } from './project-copy.ts'

/** The tag of a version's images that has one more migration, which adds a column to the orders. */
export const nextTag = 'next'

/** Builds images of that version from a copy of the project. */
export function buildNextVersion(...names: string[]): void {
  const copy = copyProject()
  try {
    const journal = 'functions/orders/migrations/meta/_journal.json'
    const { entries, ...rest } = JSON.parse(readFileSync(join(copy.folder, journal), 'utf8')) as {
      entries: { idx: number; version: string; when: number; tag: string; breakpoints: boolean }[]
    }
    const last = entries.at(-1)!
    const idx = last.idx + 1
    const tag = `${String(idx).padStart(4, '0')}_gift`
    entries.push({ ...last, idx, when: last.when + 1, tag })
    copy.write(journal, JSON.stringify({ ...rest, entries }))
    copy.write(
      `functions/orders/migrations/${tag}.sql`,
      'ALTER TABLE "orders"."orders" ADD COLUMN "gift" boolean DEFAULT false NOT NULL;\n',
    )
    execFileSync('docker', ['buildx', 'bake', '-f', 'images/docker-bake.hcl', ...names], {
      cwd: copy.folder,
      stdio: 'pipe',
      env: { ...process.env, TAG: nextTag },
    })
  } finally {
    copy.remove()
  }
}
