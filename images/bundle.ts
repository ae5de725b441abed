import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { build, transform, type BuildOptions, type Metafile, type OutputFile, type Plugin } from 'esbuild'
import { databaseRoles, folderOf } from '../functions/table.ts'
import { isMain, ofPackages, tagOf, toCommonJs } from './commonjs.ts'
import { entries, entryPoints, tableValues } from './entries.ts'
import { isCurrent, stamped } from './stamp.ts'
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

/** Node's own modules that take long to load, and that a process may not need. They are loaded at their first use. */
const costly = new Set([
  'child_process',
  'cluster',
  'crypto',
  'dns',
  'http',
  'http2',
  'https',
  'tls',
  'worker_threads',
  'zlib',
])

/**
 * Loads Node's own modules as CommonJS. If they are imported as ES modules, Node reads every export of each
 * at once, and one of the exports of `node:http` loads undici.
 */
const lazyBuiltins: Plugin = {
  name: 'lazy builtins',
  setup(build) {
    const known = new Set(builtinModules)
    build.onResolve({ filter: /^(?:node:)?[a-z_]+[a-z_\d]*(?:\/[a-z]+)?$/ }, ({ path, importer }) => {
      const name = path.replace(/^node:/, '')
      if (!known.has(name)) return undefined
      return { path: name === 'http2' && nodeServer.test(importer) ? 'no http2' : name, namespace: 'builtin' }
    })
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({ contents: builtin(path) }))
  },
}

/** Returns the source of a module that stands for one of Node's own. */
function builtin(name: string): string {
  // our servers speak HTTP/1.1 only
  if (name === 'no http2') return 'exports.Http2ServerRequest = class {}; exports.constants = {}'
  const get = `process.getBuiltinModule('node:${name}')`
  if (!costly.has(name)) return `module.exports = ${get}`
  const names = Object.keys(process.getBuiltinModule(`node:${name}`) as object)
  return `let loaded
const load = () => (loaded ??= ${get})
for (const name of ${JSON.stringify(names)})
  Object.defineProperty(exports, name, { enumerable: true, get: () => load()[name] })`
}

const nodeServer = /@hono\/node-server\/dist\/index\.mjs$/

/** Keeps undici from being loaded (lazy-web.ts). */
const lazyWeb: Plugin = {
  name: 'lazy web',
  setup(build) {
    const module = JSON.stringify(join(root, 'images/lazy-web.ts'))
    build.onLoad({ filter: nodeServer }, async ({ path }) => ({
      contents: `import { web as global } from ${module}\n${await readFile(path, 'utf8')}`,
    }))
  },
}

/** Leaves out two tables of all Unicode characters, which MongoDB's driver would read at every start. */
const withoutUnicode: Plugin = {
  name: 'without Unicode',
  setup(build) {
    const namespace = 'without-unicode'
    // Node's own URL does the same as this package
    build.onResolve({ filter: /^whatwg-url$/ }, ({ path }) => ({ path, namespace }))
    build.onResolve({ filter: /^@mongodb-js\/saslprep$/ }, ({ path, namespace: from }) =>
      from === namespace ? undefined : { path, namespace },
    )
    build.onLoad({ filter: /^whatwg-url$/, namespace }, () => ({
      contents: 'module.exports = { URL, URLSearchParams }',
    }))
    // SASLprep leaves printable ASCII as it is (RFC 4013)
    build.onLoad({ filter: /saslprep$/, namespace }, ({ path }) => ({
      contents: `exports.saslprep = (text, options) =>
  /^[ -~]*$/.test(text) ? text : require('${path}').saslprep(text, options)`,
      resolveDir: root,
    }))
  },
}

/** Makes what writes PDF files smaller, of which an image would otherwise have two megabytes. */
const lighterPdf: Plugin = {
  name: 'lighter PDF',
  setup(build) {
    const namespace = 'lighter-pdf'
    // Node's own Brotli reads WOFF2 fonts, too, and brings no dictionary
    build.onResolve({ filter: /^brotli\/decompress\.js$/ }, ({ path }) => ({ path, namespace }))
    build.onLoad({ filter: /.*/, namespace }, () => ({
      contents: `module.exports = (bytes) => require('zlib').brotliDecompressSync(bytes)`,
      resolveDir: root,
    }))
    build.onLoad({ filter: /node_modules\/(?:fontkit|linebreak|pdfkit)\/.*\.m?js$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), {
        minifyIdentifiers: true,
        logLevel: 'error',
      })
      return { contents: code }
    })
  },
}

/**
 * Lets PostgreSQL's driver remember a prepared statement only once its columns are described. It would remember it
 * earlier. If the description fails, as behind a pooler while a table is being replaced, each later use of the statement
 * would fail until the connection ends (https://github.com/porsager/postgres/issues/250).
 */
const describedStatements: Plugin = {
  name: 'described statements',
  setup(build) {
    const remember = 'query.prepare && (statements[query.signature] = query.statement)\n'
    const described = 'result.statement = query.statement\n'
    build.onLoad({ filter: /node_modules\/postgres\/src\/connection\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      if (source.split(remember).length !== 2 || source.split(described).length !== 3)
        throw new Error(`${path} is not as expected: look whether it still remembers statements too early`)
      return { contents: source.replace(remember, '').replaceAll(described, `${described}${remember}`) }
    })
  },
}

/** The statement that makes a module load what every function needs. */
const loadCommon = `import ${JSON.stringify(join(root, 'images/common.ts'))};`
const ourSource = /\/(?:functions|events|demo)\/.*\.ts$/

/**
 * Puts what every function needs into one file (common.ts). esbuild makes a file of the modules that the same
 * entry points load, and any of our modules may be an entry point.
 */
const commonChunk: Plugin = {
  name: 'common chunk',
  setup(build) {
    build.onLoad({ filter: ourSource }, async ({ path }) => ({
      // on the first line, so that source maps stay right
      contents: loadCommon + (await readFile(path, 'utf8')),
      loader: 'ts',
    }))
  },
}

/** Returns a plugin whose sources load it, too. */
const inCommon = (plugin: Plugin): Plugin => ({
  ...plugin,
  setup: (build) =>
    plugin.setup({
      ...build,
      onLoad: (options, load) =>
        build.onLoad(options, async (args) => {
          const result = await load(args)
          if (typeof result?.contents !== 'string' || !ourSource.test(args.path)) return result
          return { ...result, contents: loadCommon + result.contents }
        }),
    }),
})

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
    logLevel: 'warning',
    logOverride: ofPackages,
    inject: ['images/lazy-web.ts'],
    define: {
      Headers: 'web.Headers',
      Request: 'web.Request',
      Response: 'web.Response',
      'globalThis.Headers': 'web.Headers',
      // no function serves WebSockets
      'globalThis.CloseEvent': 'undefined',
    },
    plugins: [
      lazyBuiltins,
      lazyWeb,
      withoutUnicode,
      lighterPdf,
      describedStatements,
      entries,
      tableValues,
      ...plugins.map(inCommon),
      commonChunk,
    ],
    ...options,
    metafile: true,
    write: false,
  })
}

/**
 * Writes the bundle, its compiled code and the migrations to `outdir`, for the local runner.
 * @param options additional options of esbuild
 * @returns the files of packages that are in it, relative to the project, and the names of the files of the bundle
 */
export async function bundle(
  outdir: string,
  options: BuildOptions = {},
): Promise<{ packages: string[]; files: string[] }> {
  const { outputFiles, metafile } = await bundleInMemory(outdir, {
    sourcemap: 'inline',
    sourcesContent: false,
    ...options,
  })
  copyMigrations(outdir)
  replace(join(outdir, 'package.json'), commonJsPackage)
  const made = await Promise.all(
    outputFiles.map(async ({ path, text }) => {
      if (isOf(path, text)) return isMain(path) || isOf(`${path}.compiled`, text)
      const { code, map } = await toCommonJs(path, text, { sourcemap: 'external' })
      replace(`${path}.map`, map)
      replace(path, `${code}//# sourceMappingURL=${basename(path)}.map\n`)
      return false
    }),
  )
  if (made.includes(false)) await compile(outdir)
  return {
    packages: Object.keys(metafile.inputs).filter((path) => path.startsWith('node_modules/')),
    files: outputFiles.map(({ path }) => relative(outdir, path)),
  }
}

/**
 * Copies PostgreSQL's migrations to `outdir`, beside the code of the migration job, where it looks for them.
 */
export function copyMigrations(outdir: string): void {
  // only drizzle-kit reads the snapshots, when it makes a migration
  const files = migrationFolders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('_snapshot.json'))
      .map((entry) => relative(root, join(entry.parentPath, entry.name))),
  )
  for (const file of files) {
    const contents = readFileSync(join(root, file), 'utf8')
    const copy = join(outdir, file)
    if (!existsSync(copy) || readFileSync(copy, 'utf8') !== contents) replace(copy, contents)
  }
}

/** Whether a file, or its compiled code, was made from this source before. */
function isOf(path: string, source: string) {
  try {
    return readFileSync(path, 'latin1').startsWith(tagOf(source))
  } catch {
    return false
  }
}

/** Compiles what is new in a folder, in a process of its own, because V8's flags are changed for it. */
async function compile(folder: string) {
  await promisify(execFile)(process.execPath, [join(root, 'images/compile.js'), folder])
}

/**
 * Replaces a file atomically: another shop that runs from this checkout may be starting a function from it.
 */
function replace(path: string, contents: string) {
  mkdirSync(dirname(path), { recursive: true })
  const attempt = `${path}.${process.pid}`
  writeFileSync(attempt, contents)
  renameSync(attempt, path)
}

/** The package.json of a bundle. */
export const commonJsPackage = '{"type":"commonjs"}\n'

/** Writes the bundle to `outdir`, unless it is there already and nothing has changed since. */
async function bundleWhatChanged(outdir: string) {
  const stamp = join(outdir, 'stamp.json')
  if (isCurrent(root, outdir, stamp)) return copyMigrations(outdir)
  replace(stamp, await stamped(root, () => bundle(outdir)))
}

if (import.meta.main) await bundleWhatChanged(process.argv[2] ?? 'dist')
