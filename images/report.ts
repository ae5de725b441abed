import { spawnSync } from 'node:child_process'

/** The output of `docker buildx bake --progress plain`, and how long it took, in seconds. */
export interface Build {
  output: string
  seconds: number
}

/**
 * Returns the total time of each image's own steps, in seconds, by the image's name. The key `''` has the
 * total time of the steps that images share.
 */
export function stepTimes(output: string): Map<string, number> {
  const owners = new Map<string, { owner: string; step: string }>()
  const shared = new Map<string, number>()
  const times = new Map<string, number>()
  for (const line of output.split('\n')) {
    const [, id = '', rest = ''] = /^#(\d+) (.*)$/.exec(line) ?? []
    const [, image, stage, step] = /^\[([\w-]+)(?: ([\w-]+)(?: \d+\/\d+)?)?\] (.*)$/.exec(rest) ?? []
    // not a step that loads the context or a definition
    if (image !== undefined && image !== 'internal' && stage !== 'internal') {
      const isOwn = stage === undefined || ['function-files', 'function', 'gateway'].includes(stage)
      owners.set(id, isOwn ? { owner: image, step: '' } : { owner: '', step: `${stage} ${step}` })
    }
    const done = /^DONE ([\d.]+)s$/.exec(rest)?.[1]
    const of = owners.get(id)
    if (done === undefined || of === undefined) continue
    if (of.owner !== '') times.set(of.owner, (times.get(of.owner) ?? 0) + Number(done))
    // a shared step is printed once for each image that needs it
    else shared.set(of.step, Math.max(shared.get(of.step) ?? 0, Number(done)))
  }
  return times.set(
    '',
    [...shared.values()].reduce((sum, seconds) => sum + seconds, 0),
  )
}

/**
 * Returns a table of the images that exist. Sizes are those on the disk, uncompressed. Times are those of an
 * image's own steps, while all images are built at the same time.
 */
export function report(names: readonly string[], tag: string, cold: Build, cached: Build): string {
  const images = names.flatMap((name) => inspect(name, tag) ?? [])
  const uses = new Map<string, number>()
  for (const { layers } of images) for (const id of layers) uses.set(id, (uses.get(id) ?? 0) + 1)
  const [coldTimes, cachedTimes] = [stepTimes(cold.output), stepTimes(cached.output)]
  const time = (times: Map<string, number>, name: string) => `${(times.get(name) ?? 0).toFixed(1)} s`
  return table([
    ['image', 'size', 'beyond shared', 'layers', 'cold', 'cached'],
    ...images.map(({ name, size, layers, sizes }) => [
      name,
      `${(size / 1e6).toFixed(1)} MB`,
      `${(beyond(sizes, layers.filter((id) => uses.get(id) === 1).length) / 1e3).toFixed(0)} kB`,
      String(layers.length),
      time(coldTimes, name),
      time(cachedTimes, name),
    ]),
    ['shared steps', '', '', '', time(coldTimes, ''), time(cachedTimes, '')],
    ['all, as it took', '', '', '', `${cold.seconds.toFixed(1)} s`, `${cached.seconds.toFixed(1)} s`],
  ])
}

/**
 * Returns what Docker reports about an image; undefined if there is no such image. `sizes` are the sizes of
 * its layers in bytes, from the newest to the oldest.
 */
export function inspect(name: string, tag: string) {
  const image = `zeroshop/${name}:${tag}`
  const { status, stdout } = spawnSync('docker', ['image', 'inspect', image], { encoding: 'utf8' })
  if (status !== 0) return undefined
  const [{ Id: id, Size: size, RootFS }] = JSON.parse(stdout) as [
    { Id: string; Size: number; RootFS: { Layers: string[] } },
  ]
  const history = spawnSync('docker', ['history', '--human=false', '--format', '{{.Size}}', image], {
    encoding: 'utf8',
  })
  // a step that changes only the configuration has no size, and makes no layer
  const sizes = history.stdout.split('\n').map(Number).filter(Boolean)
  return { name, id, size, layers: RootFS.Layers, sizes }
}

/** Returns the size of the topmost `count` layers, in bytes. */
export const beyond = (sizes: number[], count: number) =>
  sizes.slice(0, count).reduce((sum, size) => sum + size, 0)

/** Formats rows as a table. All columns but the first are right-aligned. */
function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
