/**
 * Decides which file goes into which image. Files that functions of several domains share are in the
 * `runtime` tree, which is the base of every image. Every other file is in the tree of each image that loads
 * it. So a change in one function changes one tree, and a change in a domain's rules changes only the trees
 * that contain them.
 */
import { createHash } from 'node:crypto'
import { basename, join, relative } from 'node:path'
import type { BuildOptions, Metafile } from 'esbuild'
import { functionsOf, type Domain } from '../functions/table.ts'
import { bundleInMemory } from './bundle.ts'
import { entryPoint } from './entries.ts'
import { domains, functionNames, serviceNames, services } from './table.ts'

/** The files of an image by their paths in /app, and the sources from which they were made. */
export interface Tree {
  files: Map<string, string>
  sources: Set<string>
}

export type Trees = Map<string, Tree>

type Outputs = Metafile['outputs']
/** A domain, a service or the entry of a function. */
type Owner = string

const root = join(import.meta.dirname, '..')

/**
 * Bundles everything. Returns the `runtime` tree, and by image name, the files that each image adds to it.
 */
export async function makeTrees(options: BuildOptions = {}): Promise<Trees> {
  const { outputFiles, metafile } = await bundleInMemory(root, {
    minifyWhitespace: true,
    // a megabyte that changes only with package-lock.json
    apart: ['mongodb'],
    ...options,
  })
  const names = lastingNames(metafile.outputs)
  const texts = new Map(outputFiles.map(({ path, text }) => [relative(root, path), text]))
  const tree = (paths: Iterable<string>): Tree => {
    const files = new Map<string, string>()
    const sources = new Set<string>()
    for (const path of paths) {
      const text = inOrder(texts.get(path)!.replaceAll(hashed, (name) => names.get(name) ?? name))
      files.set(
        path.replace(basename(path), (name) => names.get(name) ?? name),
        text,
      )
      for (const source of Object.keys(metafile.outputs[path]!.inputs)) sources.add(source)
    }
    return { files, sources }
  }
  const divided = divide(metafile.outputs)
  return new Map([...divided].map(([name, paths]) => [name, tree(paths)]))
}

/**
 * Sorts a file's imports of other chunks, because esbuild's order changes with each added entry point. No
 * chunk depends on the order: each imports the chunks that it needs.
 */
const inOrder = (text: string) =>
  text.replace(/(?:import(?:[\w$*{}, ]+from)?"\.{1,2}\/[^"]+";)+/, (imports) =>
    imports
      .split(/(?<=;)/)
      .toSorted()
      .join(''),
  )

/**
 * Matches a name from esbuild, which contains a hash of the file's contents and of all files that it imports. It is
 * looked for only at the beginnings of words, because a file may contain words of half a megabyte.
 */
const hashed = /(?<![\w.-])[\w.-]+-[A-Z0-9]{8}\.js/g

/**
 * Returns new names for the files that esbuild named by their contents. A new name depends on the list of the
 * file's sources, not on their contents, so that a change in one file does not change all files that import
 * it.
 */
function lastingNames(outputs: Outputs): Map<string, string> {
  const names = new Map<string, string>()
  for (const [path, { entryPoint, inputs }] of Object.entries(outputs)) {
    const name = basename(path)
    if (!name.match(hashed)) continue
    const inside = entryPoint ?? Object.keys(inputs).toSorted().join('\n')
    const hash = createHash('sha256').update(inside).digest('hex').slice(0, 8)
    names.set(name, name.replace(/[A-Z0-9]{8}\.js$/, `${hash}.js`))
  }
  if (new Set(names.values()).size < names.size) throw new Error('two chunks would have the same name')
  return names
}

/** Divides the files of a bundle among the images. */
function divide(outputs: Outputs): Map<string, Set<string>> {
  const main = 'functions/main.js'
  const entryOf = (source: string) => {
    const found = Object.keys(outputs).find((path) => outputs[path]!.entryPoint === source)
    if (found === undefined) throw new Error(`${source} is not imported by functions/main.ts`)
    return found
  }
  const own = ownFiles(outputs)
  // The main file statically imports what every image needs. It loads what has an owner dynamically, and only
  // in the owner's image.
  const started = reach(outputs, main, (source) => ownerOf(source) === undefined)
  /** Returns the files of an image beyond the runtime: all that its entries load. */
  const ownOf = (...entries: string[]) =>
    entries
      .map((entry) => reach(outputs, entryOf(entry), () => true))
      .reduce((all, some) => all.union(some), started)
      .intersection(own)
  const everything = new Set(Object.keys(outputs))
  return new Map<string, Set<string>>([
    ['runtime', everything.difference(own)],
    ...functionNames.map((name) => [name, ownOf(entryPoint(name))] as const),
    ...serviceNames.map((name) => [name, ownOf(services[name].source, ...services[name].loads)] as const),
    ...domains.map((domain) => [domain, ownOf(...[domain, ...functionsOf(domain)].map(entryPoint))] as const),
  ])
}

/** Shared sources that few functions load, and that bring large libraries: not every image needs them. */
const seldom = new Set(['functions/shared/pdf.ts'])

/**
 * Returns the files outside of the runtime: a domain's code, and files that only one domain or only services
 * load.
 */
function ownFiles(outputs: Outputs): Set<string> {
  const users = new Map(Object.keys(outputs).map((path) => [path, new Set<string>()]))
  for (const [path, { entryPoint }] of Object.entries(outputs)) {
    if (entryPoint === undefined) continue
    const owner = ownerOf(entryPoint) ?? 'all'
    for (const reached of reach(outputs, path, () => false))
      users.get(reached)!.add(owner in services ? 'services' : owner)
  }
  const isOwn = (path: string) => {
    const sources = Object.keys(outputs[path]!.inputs)
    if (sources.some((source) => ownerOf(source) !== undefined || seldom.has(source))) return true
    const by = users.get(path)!
    return by.size === 1 && !by.has('all')
  }
  return new Set(Object.keys(outputs).filter(isOwn))
}

/**
 * Returns every file that `from` loads, including itself. Dynamic imports are followed if their entry point
 * is `wanted`.
 */
function reach(outputs: Outputs, from: string, wanted: (source: string) => boolean): Set<string> {
  const reached = new Set([from])
  // iterating over a set includes the elements that are added meanwhile
  for (const path of reached)
    for (const { path: next, kind, external } of outputs[path]!.imports)
      if (!external && (kind !== 'dynamic-import' || wanted(outputs[next]!.entryPoint ?? '')))
        reached.add(next)
  return reached
}

/** Returns the function, domain or service to which a source belongs; undefined if it is shared. */
function ownerOf(source: string): Owner | undefined {
  if (source.startsWith('entry:')) return source
  return (
    serviceNames.find((name) =>
      [services[name].source, ...services[name].loads].some((own) => own === source),
    ) ?? domainOf(source)
  )
}

const domainOf = (source: string): Domain | undefined =>
  domains.find((domain) => source.startsWith(`functions/${domain}/`))
