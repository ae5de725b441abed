/** `npm run images`: builds all images, or those that are named, with `docker buildx bake`. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from '../functions/shared/process/run.ts'
import { UserError } from '../functions/shared/process/user-error.ts'
import { readArguments } from '../local/commands/arguments.ts'
import { dockerProblem, dockerSays, root } from './docker.ts'
import { atOnce, imageNames } from './table.ts'
import { report, type Build } from './report.ts'
import { git, revisions } from './revisions.ts'

const usage = `npm run images -- [options] [FUNCTION …]
  FUNCTION …   builds only these; also relay, dispatcher, payment-sandbox, migrate, gateway, or a domain
  --changed    builds nothing if all is committed and all images were built from this commit
  --report     builds twice, without and with the cache, and prints the image sizes and the build times
TAG sets the tag of the images (latest).`

const known: readonly string[] = [...imageNames, 'gateway']
const tag = process.env['TAG'] || 'latest'

/** The file of what `presentImages` returned after the last build of all images. */
const stamp = join(root, '.data/images')

await run(main)

async function main(): Promise<number> {
  const { values, positionals } = readArguments(usage, {
    allowPositionals: true,
    options: { report: { type: 'boolean' }, changed: { type: 'boolean' } },
  })
  const unknown = positionals.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new UserError(`There is no image named ${unknown}.\n${usage}`)
  const problem = dockerProblem()
  if (problem !== undefined) throw new UserError(problem)

  const names = positionals.length > 0 ? positionals : known
  if (values.changed && existsSync(stamp) && readFileSync(stamp, 'utf8') === (await presentImages())) {
    console.log('The images are of this commit.')
    return 0
  }
  if (!values.report) {
    const { code } = await build(names, [], 'shown')
    if (code === 0 && positionals.length === 0) await keepStamp()
    return code
  }
  const cold = await build(names, ['--no-cache'], 'kept')
  const cached = cold.code === 0 ? await build(names, [], 'kept') : cold
  if (cached.code !== 0) throw new UserError(cached.output.trim())
  console.log(report(known, tag, cold, cached))
  return 0
}

/** Keeps what is present after a build of all images. */
async function keepStamp() {
  const present = await presentImages()
  if (present === undefined) return
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, present)
}

/** Returns the commit and the images; undefined if something is not committed, or if git or an image is missing. */
async function presentImages(): Promise<string | undefined> {
  const images = known.map((name) => `zeroshop/${name}:${tag}`)
  try {
    const [commit, changes, ids] = await Promise.all([
      git('rev-parse', 'HEAD'),
      git('status', '--porcelain'),
      dockerSays(['image', 'inspect', '--format', '{{.Id}}', ...images]),
    ])
    return changes === '' ? commit + ids : undefined
  } catch {
    return undefined
  }
}

/**
 * Builds images, until one fails.
 * @param options of bake
 * @param output whether its output is shown in the terminal, or kept and returned
 */
async function build(
  names: readonly string[],
  options: readonly string[],
  output: 'shown' | 'kept',
): Promise<Build & { code: number }> {
  const revisionOf = await revisions()
  const built = { code: 0, output: '', seconds: 0 }
  for (let from = 0; from < names.length && built.code === 0; from += atOnce) {
    const some = names.slice(from, from + atOnce)
    const labels = some.flatMap((name) => {
      const revision = revisionOf?.get(name)
      return revision === undefined
        ? []
        : ['--set', `${name}.labels.org.opencontainers.image.revision=${revision}`]
    })
    const baked = await bake(['-f', 'images/docker-bake.hcl', ...labels, ...options, ...some], output)
    built.code = baked.code
    built.output += baked.output
    built.seconds += baked.seconds
  }
  return built
}

/** Runs bake in the root of the project. */
async function bake(args: string[], output: 'shown' | 'kept'): Promise<Build & { code: number }> {
  const began = performance.now()
  const kept = output === 'kept'
  const child = spawn('docker', ['buildx', 'bake', ...(kept ? ['--progress', 'plain'] : []), ...args], {
    cwd: root,
    stdio: ['ignore', kept ? 'pipe' : 'inherit', kept ? 'pipe' : 'inherit'],
    env: { ...process.env, TAG: tag },
  })
  const told: string[] = []
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => told.push(text))
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
  return { code, output: told.join(''), seconds: (performance.now() - began) / 1000 }
}
