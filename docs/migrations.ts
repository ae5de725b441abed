/** Writes the migrations that are missing, with drizzle-kit, for each schema of PostgreSQL in its own folder. */
import { join } from 'node:path'
import { run } from '../local/run.ts'
import { domains, domainsIn } from '../functions/table.ts'

const root = join(import.meta.dirname, '..')

/** The folders of PostgreSQL's schemas, and the files that declare their tables. */
export const schemas = [
  { folder: 'events', tables: ['tables.ts'] },
  ...domainsIn('postgres').map((domain) => ({
    folder: `functions/${domain}`,
    tables: domains[domain].tables ?? [],
  })),
]

/** @param name of the migrations, where any are missing; drizzle-kit finds one if it is not given */
export async function generateMigrations(name?: string): Promise<void> {
  const drizzleKit = join(root, 'node_modules/drizzle-kit/bin.cjs')
  for (const { folder, tables } of schemas)
    await run(`Generating the migrations of ${folder}`, drizzleKit, {
      args: [
        'generate',
        '--dialect=postgresql',
        // it takes one path, or a glob
        `--schema=./${folder}/${tables.length === 1 ? tables[0] : `{${tables.join()}}`}`,
        `--out=./${folder}/migrations`,
        ...(name === undefined ? [] : [`--name=${name}`]),
      ],
    })
}

if (import.meta.main) await generateMigrations(process.argv[2])
