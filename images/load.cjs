// Loads the modules of a bundle (commonjs.ts), and stands at the beginning of its main file. Node's own loaders
// take longer to find twenty files than V8 takes to read their compiled code. Their compile cache also lacks every
// function that is first called later, so that a start would compile a thousand functions again.
'use strict'
const { readFileSync } = process.getBuiltinModule('node:fs')
const { fileURLToPath } = process.getBuiltinModule('node:url')
const { Script } = process.getBuiltinModule('node:vm')

/** The modules that are loaded, by their URLs. */
const modules = new Map()

function run(wrapper, url) {
  const module = { exports: {} }
  modules.set(url, module)
  const requireHere = (name) => (/^(?:\.|file:)/.test(name) ? load(new URL(name, url).href) : require(name))
  try {
    wrapper(module.exports, requireHere, module, url)
  } catch (error) {
    modules.delete(url)
    throw error
  }
  return module.exports
}

const load = (url) => modules.get(url)?.exports ?? run(compile(fileURLToPath(url)), url)

/** Compiles a module, or reads its compiled code (compile.js). V8 refuses the code of another Node or other flags. */
function compile(filename) {
  const source = readFileSync(filename, 'utf8')
  const compiled = read(`${filename}.compiled`)
  // V8 itself compares only the length of the source, so both begin with a hash of it
  const isOfSource = compiled?.latin1Slice(0, tagLength) === source.slice(0, tagLength)
  const cachedData = isOfSource ? compiled.subarray(tagLength) : undefined
  return new Script(source, { filename, cachedData }).runInThisContext()
}

function read(filename) {
  try {
    return readFileSync(filename)
  } catch {
    return undefined
  }
}

/** The length of a tag, such as `/*0123456789ab*\/`. */
const tagLength = 16
