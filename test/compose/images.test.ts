import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { beyond, inspect } from '../../images/report.ts'
import { atOnce, imageNames, serviceNames, services } from '../../images/table.ts'
import { functions, functionsOf } from '../../functions/table.ts'

const tag = 'test'
const root = join(import.meta.dirname, '../..')
/** A copy of the images' sources, for tests to change. */
const copy = mkdtempSync(join(tmpdir(), 'zeroshop-images-'))

const bake = (...args: string[]) =>
  execFileSync('docker', ['buildx', 'bake', '-f', 'images/docker-bake.hcl', ...args], {
    cwd: copy,
    stdio: 'pipe',
    env: { ...process.env, TAG: tag },
  })

function bakeAll() {
  const names = [...imageNames, 'gateway']
  while (names.length > 0) bake(...names.splice(0, atOnce))
}

/** Images of every kind, which are built more than once: of functions of two domains, of a domain, of a service. */
const some = [...functionsOf('orders'), ...functionsOf('stock'), 'orders', 'stock', 'relay'] as const

const ids = () => new Map(some.map((name) => [name, inspect(name, tag)!.id]))

const docker = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8' })

const confined = '--read-only --cap-drop ALL --security-opt no-new-privileges --network none'.split(' ')

/** Runs an image as in production: with a read-only file system and without capabilities. */
const run = (name: string, { options = [], args = [] }: { options?: string[]; args?: string[] } = {}) =>
  spawnSync('docker', ['run', '--rm', ...confined, ...options, `zeroshop/${name}:${tag}`, ...args], {
    encoding: 'utf8',
  })

describe('the images', () => {
  beforeAll(() => {
    for (const path of ['functions', 'events', 'docs', 'compose', 'demo', 'images'])
      cpSync(join(root, path), join(copy, path), { recursive: true })
    for (const path of ['local/people.ts', 'package.json', 'package-lock.json', '.npmrc', '.dockerignore'])
      cpSync(join(root, path), join(copy, path))
    bakeAll()
  })

  afterAll(() => {
    rmSync(copy, { recursive: true })
    docker('image', 'rm', ...[...imageNames, 'gateway'].map((name) => `zeroshop/${name}:${tag}`))
  })

  it('each add at most 1.1 MB to the shared layers, those with many functions 1.5 MB', () => {
    const images = imageNames.map((name) => inspect(name, tag)!)
    const shared = images[0]!.layers.slice(0, -1)
    for (const { name, layers, sizes } of images) {
      expect({ name, layers: layers.slice(0, -1) }).toEqual({ name, layers: shared })
      const most = name in functions ? 1.1e6 : 1.5e6
      expect({ name, bytes: beyond(sizes, 1) }).toSatisfy(({ bytes }: { bytes: number }) => bytes <= most)
    }
  })

  it.each(imageNames)('of %s do not run as root, and have labels', (name) => {
    const [{ Config: config }] = JSON.parse(docker('image', 'inspect', `zeroshop/${name}:${tag}`)) as [
      {
        Config: {
          User: string
          Env: string[]
          Labels: Record<string, string>
          Healthcheck: { Test: string[] }
        }
      },
    ]
    expect(config.User).toMatch(/^65532(:65532)?$|^nonroot$/)
    expect(config.Env).toContain(`FUNCTION=${name}`)
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': name,
      'org.opencontainers.image.source': 'https://zeroshop.dev',
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.revision': expect.any(String) as string,
    })
    const isJob = serviceNames.some((service) => service === name && 'job' in services[service])
    expect(config.Healthcheck.Test).toEqual(isJob ? ['NONE'] : ['CMD', '/nodejs/bin/node', '/app/health.cjs'])
  })

  it('of the gateway does not run as root, and starts without capabilities', () => {
    const args = ['caddy', 'version']
    expect(run('gateway', { args })).toMatchObject({ status: 0, stderr: '' })
    expect(run('gateway', { args: ['id', '-u'] }).stdout.trim()).toBe('65532')
  })

  it('contain no key, and no files that would be copied into a volume', () => {
    const search = 'find /data /config /etc/caddy -type f 2>/dev/null; find / -xdev -name "*.key"'
    // root may look everywhere
    const asRoot = '--rm --network none --user 0'.split(' ')
    const found = docker('run', ...asRoot, `zeroshop/gateway:${tag}`, 'sh', '-c', search)
    expect(found.trim().split('\n')).toEqual(['/etc/caddy/Caddyfile'])
  })

  it('have no shell', () => {
    for (const shell of ['/bin/sh', '/bin/bash', '/busybox/sh', 'sh'])
      expect(run('create-order', { options: ['--entrypoint', shell] }).status).toBe(127)
  })

  it('contain no file that their user can change', () => {
    const script = `
      const { accessSync, constants, readdirSync } = require('node:fs')
      const isWritable = (path) => { try { accessSync(path, constants.W_OK); return true } catch { return false } }
      console.log(JSON.stringify(['/app', ...readdirSync('/app', { recursive: true }).map((name) => '/app/' + name)].filter(isWritable)))`
    // with a writable file system; otherwise nothing could be written anyway
    const found = docker('run', '--rm', '--network', 'none', `zeroshop/log-in:${tag}`, '-e', script)
    expect(JSON.parse(found)).toEqual([])
  })

  it.each(['create-order', 'log-in', 'get-product', 'reserve-stock', 'relay', 'orders', 'migrate'])(
    'start %s, and report missing settings',
    (name) => {
      const { status, stderr } = run(name)
      expect(status).toBe(1)
      expect(stderr).toMatch(/^zeroshop: \w+ /m)
    },
  )

  it.each(['create-order', 'get-product', 'relay'])('have compiled code for %s that V8 accepts', (name) => {
    const script = `
      const { readdirSync, readFileSync } = require('node:fs')
      const { Script } = require('node:vm')
      const isAccepted = (name) => {
        const [source, compiled] = [readFileSync(name.slice(0, -'.compiled'.length), 'utf8'), readFileSync(name)]
        const { cachedDataRejected } = new Script(source, { cachedData: compiled.subarray(16) })
        return source.startsWith(compiled.latin1Slice(0, 16)) && cachedDataRejected === false
      }
      const found = readdirSync('/app', { recursive: true }).filter((name) => name.endsWith('.compiled'))
      console.log(JSON.stringify(found.map((name) => isAccepted('/app/' + name))))`
    const { stdout } = run(name, { args: ['--max-semi-space-size=2', '--v8-pool-size=1', '-e', script] })
    const accepted = JSON.parse(stdout) as boolean[]
    expect(accepted.length).toBeGreaterThan(20)
    expect(accepted).not.toContain(false)
  })

  it('load native modules', () => {
    const { status, stderr } = run('log-in', { args: ['-e', "require('@node-rs/argon2').hashSync('x')"] })
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  it('have a health check that works without a shell', () => {
    expect(run('create-order', { args: ['/app/health.cjs'] }).status).toBe(1)
  })

  it('are identical if nothing has changed', () => {
    const before = ids()
    bake(...some)
    expect(ids()).toEqual(before)
  })

  it('change only for a function and its domain if the function’s file changes', () => {
    const before = ids()
    appendFileSync(join(copy, 'functions/orders/cancel-order.ts'), "\nconsole.log('changed')\n")
    bake(...some)
    const after = ids()
    expect(some.filter((name) => after.get(name) !== before.get(name)).toSorted()).toEqual([
      'cancel-order',
      'orders',
    ])
  })
})
