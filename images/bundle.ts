import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path'
import { build, type BuildOptions, type Metafile, type OutputFile, type Plugin } from 'esbuild'
import { domainsIn } from '../functions/table.ts'
import { entries, entryPoints, tableValues } from './entries.ts'
import { services } from './table.ts'

const root = join(import.meta.dirname, '..')

/** PostgreSQL's migrations, a folder a schema. */
export const migrationFolders = [
  ...domainsIn('postgres').map((domain) => `functions/${domain}/migrations`),
  'events/migrations',
]

/** What a bundle leaves to node_modules: native code, and what its library only tries to load. */
const external = [
  '@node-rs/argon2',
  'kerberos',
  '@mongodb-js/zstd',
  '@aws-sdk/credential-providers',
  'gcp-metadata',
  'snappy',
  'socks',
  'aws4',
  'mongodb-client-encryption',
]

/**
 * Node's own modules as CommonJS: imported as ES modules, each has every export of it read at once, and one of
 * `node:http`'s loads undici.
 */
const lazyBuiltins: Plugin = {
  name: 'lazy builtins',
  setup(build) {
    const known = new Set(builtinModules)
    build.onResolve({ filter: /^(?:node:)?[a-z_]+(?:\/[a-z]+)?$/ }, ({ path }) => {
      const name = path.replace(/^node:/, '')
      return known.has(name) ? { path: name, namespace: 'builtin' } : undefined
    })
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}')`,
    }))
  },
}

/**
 * Bundles the entry and every function, in memory, to be laid out under `outdir`. What several share is in chunks
 * of its own, so that a process loads only what its function needs, and a change of one function changes one file.
 * @param options of esbuild; `apart` are packages to be kept apart from the code that uses them
 */
export async function bundleInMemory(
  outdir: string,
  { apart = [], plugins = [], ...options }: BuildOptions & { apart?: string[] } = {},
): Promise<{ outputFiles: OutputFile[]; metafile: Metafile }> {
  return build({
    absWorkingDir: root,
    entryPoints: [
      ...['functions/main.ts', ...services.migrate.loads].map((path) => ({
        in: path,
        out: path.slice(0, -3),
      })),
      ...entryPoints,
      ...apart.map((name) => ({ in: name, out: name })),
    ],
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    external,
    // CommonJS packages inside need it
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
    logLevel: 'warning',
    plugins: [lazyBuiltins, entries, tableValues, ...plugins],
    ...options,
    metafile: true,
    write: false,
  })
}

/** Bundles into `outdir`, for the local runner. @param options of esbuild, on top */
export async function bundle(outdir: string, options: BuildOptions = {}): Promise<void> {
  const { outputFiles } = await bundleInMemory(outdir, {
    sourcemap: 'linked',
    sourcesContent: false,
    ...options,
  })
  copyMigrations(outdir)
  for (const { path, contents } of outputFiles) if (!isSame(path, contents)) replace(path, contents)
}

/** Copies PostgreSQL's migrations to where the migration job looks for them, beside its code. */
export function copyMigrations(outdir: string): void {
  for (const folder of migrationFolders) cpSync(join(root, folder), join(outdir, folder), { recursive: true })
}

const isSame = (path: string, contents: Uint8Array) => {
  try {
    return readFileSync(path).equals(contents)
  } catch {
    return false
  }
}

/** Whole or not at all: another system of this checkout may be starting a function from it. */
function replace(path: string, contents: Uint8Array) {
  mkdirSync(dirname(path), { recursive: true })
  const attempt = `${path}.${process.pid}`
  writeFileSync(attempt, contents)
  renameSync(attempt, path)
}

if (import.meta.main) await bundle(process.argv[2] ?? 'dist')
