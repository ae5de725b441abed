// `warm.js FOLDER`, run in the image itself: writes V8's compile cache of every module in FOLDER, which is a
// copy of /app, to FOLDER/cache. A cache entry is valid only for the same Node, flags, path and user, so it
// is made in the image.
import { chmodSync, cpSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { join } from 'node:path'

const [folder] = process.argv.slice(2)
const known = '/app/cache'
const cache = join(folder, 'cache')

const modules = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.js'))
if (existsSync(known)) cpSync(known, cache, { recursive: true })
enableCompileCache(cache)

// entries would exit immediately, because nothing is configured here
const exit = process.exit
process.exit = () => {}
console.error = () => {}
for (const file of modules) if (!file.startsWith('node_modules')) await import(join('/app', file))
flushCompileCache()

for (const file of readdirSync(cache, { recursive: true })) {
  const path = join(cache, file)
  // entries of the layer below are not needed again
  if (statSync(path).isDirectory()) continue
  if (existsSync(join(known, file))) rmSync(path)
  // only its owner can read it, and the owner will be root
  else chmodSync(path, 0o644)
}
exit(0)
