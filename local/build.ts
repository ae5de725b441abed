import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { operations, reactions, type FunctionName } from '../functions/functions.ts'
import { fileOf } from '../functions/modules.ts'

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
 * Bundles the entry and every function into `outdir`. What several share is in chunks of its own, so that a
 * process loads only what its function needs, and a change of one function changes one file.
 */
export async function bundle(outdir: string): Promise<void> {
  const names = [...Object.keys(operations), ...Object.keys(reactions)] as FunctionName[]
  const { outputFiles } = await build({
    absWorkingDir: join(import.meta.dirname, '..'),
    entryPoints: [
      'functions/main.ts',
      'local/prepare.ts',
      ...names.map((name) => `functions/${fileOf(name)}.ts`),
    ],
    outdir,
    outbase: '.',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    sourcemap: 'linked',
    sourcesContent: false,
    external,
    // CommonJS packages inside need it
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
    logLevel: 'warning',
    plugins: [lazyBuiltins],
    write: false,
  })
  for (const { path, contents } of outputFiles) if (!isSame(path, contents)) replace(path, contents)
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
