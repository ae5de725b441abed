import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path'
import { build, type BuildOptions, type Metafile, type OutputFile, type Plugin } from 'esbuild'
import { databaseRoles, folderOf } from '../functions/table.ts'
import { entries, entryPoints, tableValues } from './entries.ts'
import { services } from './table.ts'

const root = join(import.meta.dirname, '..')

/** The folders of PostgreSQL's migrations, one for each schema. */
export const migrationFolders = databaseRoles.map((role) => `${folderOf(role)}/migrations`)

/**
 * Packages that are not bundled: native code, and optional dependencies that a library only tries to load.
 */
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
 * Loads Node's own modules as CommonJS. If they are imported as ES modules, Node reads every export of each
 * at once, and one of the exports of `node:http` loads undici.
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
 * Bundles the main file and every function in memory. Code that several functions share is in separate
 * chunks, so that a process loads only what its function needs, and a change in one function changes one
 * file.
 * @param outdir the folder for which the paths are made
 * @param options esbuild's options; `apart` lists packages to put into files of their own
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
    // bundled CommonJS packages need `require`
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

/**
 * Writes the bundle and the migrations to `outdir`, for the local runner.
 * @param options additional options of esbuild
 */
export async function bundle(outdir: string, options: BuildOptions = {}): Promise<void> {
  const { outputFiles } = await bundleInMemory(outdir, {
    sourcemap: 'linked',
    sourcesContent: false,
    ...options,
  })
  copyMigrations(outdir)
  for (const { path, contents } of outputFiles) if (!isSame(path, contents)) replace(path, contents)
}

/**
 * Copies PostgreSQL's migrations to `outdir`, beside the code of the migration job, where it looks for them.
 */
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

/**
 * Replaces a file atomically: another shop that runs from this checkout may be starting a function from it.
 */
function replace(path: string, contents: Uint8Array) {
  mkdirSync(dirname(path), { recursive: true })
  const attempt = `${path}.${process.pid}`
  writeFileSync(attempt, contents)
  renameSync(attempt, path)
}

if (import.meta.main) await bundle(process.argv[2] ?? 'dist')
