import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transform, type TransformOptions } from 'esbuild'

/** The entry of the bundle, which Node itself loads. */
export const isMain = (path: string) => /(?:^|\/)functions\/main\.js$/.test(path)
const loader = readFileSync(join(import.meta.dirname, 'load.cjs'), 'utf8')
const self = readFileSync(import.meta.filename, 'utf8')

/** What packages do, and our own code cannot, because TypeScript refuses it. */
export const ofPackages = { 'duplicate-object-key': 'silent' } as const

/** Returns a comment that differs for each source. The file made from the source begins with it. */
export function tagOf(source: string): string {
  const hash = createHash('sha256')
    .update(process.version)
    .update(self)
    .update(loader)
    .update(source)
    .digest('hex')
  return `/*${hash.slice(0, 12)}*/`
}

/**
 * Makes a file of a bundle into a CommonJS module for images/load.cjs.
 * @param path its path in the bundle
 * @param options additional options of esbuild
 */
export async function toCommonJs(
  path: string,
  source: string,
  options: TransformOptions = {},
): Promise<{ code: string; map: string }> {
  const head = isMain(path) ? `${tagOf(source)}\n${loader}\nrun(` : `${tagOf(source)}(`
  const { code, map } = await transform(source, {
    format: 'cjs',
    target: 'node24',
    // `import()` becomes `require`, too
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: `${head}function(exports,require,module,importMetaUrl){'use strict';`,
    footer: isMain(path) ? "}, require('node:url').pathToFileURL(__filename).href)" : '})',
    logLevel: 'warning',
    logOverride: ofPackages,
    ...options,
  })
  return { code, map }
}
