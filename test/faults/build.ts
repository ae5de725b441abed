/** Bundles the functions into a folder, with failpoints or, for a mutation check, with a deliberate bug. */
import { mkdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Plugin } from 'esbuild'
import { bundle } from '../../images/bundle.ts'
import { failpoints } from './failpoints.ts'
import { folderOf, mutations, type Mutation } from './mutations.ts'

/** Replaces a text in a source file. The build fails if the text does not occur exactly once. */
function mutate({ file, find, replace }: Mutation): Plugin {
  return {
    name: 'mutation',
    setup(build) {
      let found = 0
      build.onLoad({ filter: new RegExp(`/${file.replaceAll('.', String.raw`\.`)}$`) }, ({ path }) => {
        const source = readFileSync(path, 'utf8')
        found = source.split(find).length - 1
        return { contents: source.replace(find, replace), loader: 'ts' }
      })
      build.onEnd(() =>
        found === 1 ? undefined : { errors: [{ text: `${file} has ${found} times: ${find}` }] },
      )
    },
  }
}

const outdir = process.argv[2]!
mkdirSync(outdir, { recursive: true })
const mutation = mutations.find((one) => basename(outdir) === folderOf(one))
await bundle(outdir, { plugins: [mutation === undefined ? failpoints(outdir) : mutate(mutation)] })
