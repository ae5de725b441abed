/**
 * Which file belongs in which image. What functions of several domains share is in the `runtime` tree, the layers
 * under every image; the rest is in the tree of each image that loads it. So a change of one function changes one
 * tree, and a change of a domain's rules changes those that hold them.
 */
import { createHash } from 'node:crypto'
import { basename, join, relative } from 'node:path'
import type { BuildOptions, Metafile } from 'esbuild'
import { functionsOf, type Domain } from '../functions/table.ts'
import { bundleInMemory } from './bundle.ts'
import { entryPoint } from './entries.ts'
import { domains, functionNames, serviceNames, services } from './table.ts'

/** The files of an image by their path under /app, and the sources that they were made from. */
export interface Tree {
  files: Map<string, string>
  sources: Set<string>
}

export type Trees = Map<string, Tree>

type Outputs = Metafile['outputs']
/** A domain, a service or the entry of a function. */
type Owner = string

const root = join(import.meta.dirname, '..')

/** Bundles everything and divides it into `runtime` and what each image has beyond that, by the image's name. */
export async function makeTrees(options: BuildOptions = {}): Promise<Trees> {
  const { outputFiles, metafile } = await bundleInMemory(root, {
    minifyWhitespace: true,
    // a megabyte that changes with package-lock.json only
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
 * A file with its imports of other chunks sorted: esbuild's order changes with each entry point that is added. No chunk
 * depends on another one being loaded before it without importing it.
 */
const inOrder = (text: string) =>
  text.replace(/(?:import(?:[\w$*{}, ]+from)?"\.{1,2}\/[^"]+";)+/, (imports) =>
    imports
      .split(/(?<=;)/)
      .toSorted()
      .join(''),
  )

/** A name that esbuild gave: with a hash of the contents, and of those of every file that it imports. */
const hashed = /[\w.-]+-[A-Z0-9]{8}\.js/g

/**
 * Names for what esbuild named by its contents. They tell which sources are inside, not what these say: a change
 * inside one file does not spread to all that import it.
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
  if (new Set(names.values()).size < names.size) throw new Error('two chunks would have one name')
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
  // the main file imports what every other image needs, too; what belongs to someone, it loads only there
  const started = reach(outputs, main, (source) => ownerOf(source) === undefined)
  /** What an image has of its own: all that its entries load. */
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

/** The files that belong to some images only: code of a domain, and what only one domain, or only services, load. */
function ownFiles(outputs: Outputs): Set<string> {
  const users = new Map(Object.keys(outputs).map((path) => [path, new Set<string>()]))
  for (const [path, { entryPoint }] of Object.entries(outputs)) {
    if (entryPoint === undefined) continue
    const owner = ownerOf(entryPoint) ?? 'all'
    for (const reached of reach(outputs, path, () => false))
      users.get(reached)!.add(owner in services ? 'services' : owner)
  }
  const isOwn = (path: string) => {
    if (Object.keys(outputs[path]!.inputs).some((source) => ownerOf(source) !== undefined)) return true
    const by = users.get(path)!
    return by.size === 1 && !by.has('all')
  }
  return new Set(Object.keys(outputs).filter(isOwn))
}

/** Every file that is loaded with one, and dynamically where the sources of what is imported are wanted. */
function reach(outputs: Outputs, from: string, wanted: (source: string) => boolean): Set<string> {
  const reached = new Set([from])
  // a set is iterated over what is added meanwhile, too
  for (const path of reached)
    for (const { path: next, kind, external } of outputs[path]!.imports)
      if (!external && (kind !== 'dynamic-import' || wanted(outputs[next]!.entryPoint ?? '')))
        reached.add(next)
  return reached
}

/** The function, domain or service that a source belongs to; undefined if everyone may use it. */
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
