import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { command, makeOutside } from '../../local/outside.ts'
import type { Startup } from '../../local/startup.ts'
import { root, userCache } from '../../local/stores/data-folder.js'
import { shrinker } from './shrink.ts'

/** Grafana's own components, with what they need. Together they are larger than all of the shop's packages. */
const dependencies = {
  '@fontsource/inter': '5.2.8',
  '@grafana/data': '13.2.3',
  '@grafana/schema': '13.2.3',
  '@grafana/ui': '13.2.2',
  '@types/react': '19.2.2',
  '@types/react-dom': '19.2.2',
  react: '19.2.0',
  'react-dom': '19.2.0',
  rxjs: '7.8.2',
  'upng-js': '2.1.0',
}

export interface Bundle {
  script: string
  style: string
  /** Returns the file for an address under which Grafana's components look for an icon or a font. */
  assetAt: (pathname: string) => string | undefined
  shrink: (png: Buffer) => Buffer
}

/** Grafana serves these itself: they are not in its packages. */
const fonts: Readonly<Record<string, string>> = {
  '/public/fonts/inter/Inter-Regular.woff2': '@fontsource/inter/files/inter-latin-400-normal.woff2',
  '/public/fonts/inter/Inter-Medium.woff2': '@fontsource/inter/files/inter-latin-500-normal.woff2',
}

/** Grafana's builds of ES modules import CommonJS packages in a way that works only with webpack. */
const grafanaAsCommonJs: Plugin = {
  name: 'grafana-as-commonjs',
  setup: (build) =>
    build.onResolve({ filter: /^@grafana\/(?:data|ui)(?:\/|$)/ }, ({ path, kind, resolveDir }) =>
      kind === 'import-statement' ? build.resolve(path, { kind: 'require-call', resolveDir }) : undefined,
    ),
}

/** Bundles the page that draws, with packages that are installed outside of the project. */
export async function bundle(startup: Startup): Promise<Bundle> {
  const folder = join(userCache(process.env), 'pictures')
  await makeOutside(startup, { folder, files: join(import.meta.dirname, 'page'), dependencies })
  // only here are the types of its packages
  await command(startup, 'Checking the types of the page', folder, join(root, 'node_modules/.bin/tsc'), [
    '-p',
    '.',
  ])
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: ['main.tsx'],
    outdir: 'built',
    bundle: true,
    write: false,
    format: 'esm',
    jsx: 'automatic',
    plugins: [grafanaAsCommonJs],
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    loader: { '.ttf': 'empty' },
    logLevel: 'error',
  })
  const textOf = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? ''
  return {
    script: textOf('.js'),
    style: textOf('.css'),
    shrink: shrinker(createRequire(join(folder, 'package.json'))),
    assetAt: (pathname) => {
      const file = join(folder, 'node_modules', fonts[pathname] ?? join('@grafana/ui/dist', pathname))
      return existsSync(file) ? file : undefined
    },
  }
}
