// `warm.js FOLDER`, in the image that will run it: adds V8's code of every module in FOLDER, a copy of what is in
// /app, as FOLDER/cache. An entry counts only for the very same Node, flags, path and user, so it is made there.
import { chmodSync, cpSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { join } from 'node:path'

const [folder] = process.argv.slice(2)
const known = '/app/cache'
const cache = join(folder, 'cache')

const modules = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.js'))
if (existsSync(known)) cpSync(known, cache, { recursive: true })
enableCompileCache(cache)

// entries give up at once, as nothing is configured here
const exit = process.exit
process.exit = () => {}
console.error = () => {}
for (const file of modules) if (!file.startsWith('node_modules')) await import(join('/app', file))
flushCompileCache()

for (const file of readdirSync(cache, { recursive: true })) {
  const path = join(cache, file)
  // what the layer below has is not needed again
  if (statSync(path).isDirectory()) continue
  if (existsSync(join(known, file))) rmSync(path)
  // it is written for its maker only, but will be root's
  else chmodSync(path, 0o644)
}
exit(0)
