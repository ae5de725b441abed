// `compile.js FOLDER [MOST]`: writes V8's compiled code of every module in a bundle beside it, for load.cjs. It contains all
// functions, not only those that are called while a module is loaded. V8 accepts it only in the same version, with
// the same flags, so that of an image is made in the image itself. It is more than twice as large as the source; with
// MOST, files with more characters get none.
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { Script } from 'node:vm'

const [folder, most = Infinity] = process.argv.slice(2)

for (const path of readdirSync(folder, { recursive: true })) {
  const filename = join(folder, path)
  if (!path.endsWith('.js') || path.startsWith('node_modules')) continue
  const source = readFileSync(filename, 'utf8')
  // not the main file, which is no function but runs at once: Node loads it
  const [tag] = /^\/\*[\da-f]{12}\*\/(?=\()/.exec(source) ?? []
  if (tag === undefined || source.length > most || tag === tagOf(`${filename}.compiled`)) continue
  setFlagsFromString('--no-lazy')
  const script = new Script(source, { filename })
  // the flags are part of what V8 compares
  setFlagsFromString('--lazy')
  const attempt = `${filename}.${process.pid}`
  writeFileSync(attempt, Buffer.concat([Buffer.from(tag), script.createCachedData()]))
  renameSync(attempt, `${filename}.compiled`)
}

function tagOf(compiled) {
  try {
    return readFileSync(compiled).toString('latin1', 0, 16)
  } catch {
    return undefined
  }
}
