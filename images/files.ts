/**
 * `node images/files.ts FOLDER`, in the build stage: writes the files of each image to a folder of its own.
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { commonJsPackage, copyMigrations } from './bundle.ts'
import { toCommonJs } from './commonjs.ts'
import { makeTrees } from './trees.ts'

const folder = process.argv[2]!
const root = join(import.meta.dirname, '..')

for (const [name, { files }] of await makeTrees())
  for (const [path, text] of files) {
    const file = join(folder, name, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, (await toCommonJs(path, text, { minifyWhitespace: true })).code)
  }

const copy = (from: string, to: string) => cpSync(join(root, from), join(folder, to), { recursive: true })

// native code is not bundled: this copies argon2's package, with its binary for the builder's platform
copy('node_modules/@node-rs', 'runtime/node_modules/@node-rs')
copy('images/health.cjs', 'runtime/health.cjs')
writeFileSync(join(folder, 'runtime/package.json'), commonJsPackage)
copyMigrations(join(folder, 'migrate'))
