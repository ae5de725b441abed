import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../../images/docker.ts'
import { imagesOf } from '../../knative/cluster.ts'
import { get, kubectl } from '../../knative/kubectl.ts'
import type { TestClient } from '../client.ts'
import { steadyLoad } from '../load.ts'
import { namespace, openShop } from './shop.ts'

let client: TestClient
let load: ReturnType<typeof steadyLoad>
/** A kubeconfig that has only the rights of the service account `canary`. */
let kubeconfig: string
beforeAll(async () => {
  kubeconfig = await kubeconfigOf('canary')
  client = await openShop()
  load = steadyLoad(ask, { atOnce: 4 })
})
afterAll(async () => {
  await load.stop()
})

const ask = () => client.unchecked.GET('/products', { params: { query: { limit: 3 } } })

async function kubeconfigOf(serviceAccount: string): Promise<string> {
  const view = await kubectl(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json'])
  const config = JSON.parse(view) as { users: { user: object }[] }
  const token = await kubectl(['create', 'token', serviceAccount, '-n', namespace])
  config.users[0]!.user = { token }
  const file = join(root, '.data/knative', `kubeconfig-${serviceAccount}`)
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  return file
}

/** Builds an image from that of list-products and additional lines of a Dockerfile. Returns its name in the cluster. */
async function variant(tag: string, recipe: string): Promise<string> {
  const images = await imagesOf(undefined)
  const name = images.name('zeroshop/list-products', tag)
  execFileSync('docker', ['build', '--quiet', '--tag', name, '-'], {
    input: `FROM zeroshop/list-products:latest\n${recipe}\n`,
  })
  await images.load([name])
  return name
}

/** Returns a line of a Dockerfile that makes the server run additional code on each request. */
const onRequest = (what: string) =>
  `ENV NODE_OPTIONS="--import=data:text/javascript,import%20http%20from%20'node:http';const%20emit=http.Server.prototype.emit;http.Server.prototype.emit=function(type,...args){if(type!=='request'||args[0].url.startsWith('/health'))return%20emit.call(this,type,...args);${what}}"`

/** Returns a line of a Dockerfile that delays each request by `ms`, an expression that may use the counter `got`. */
const waiting = (ms: string) =>
  onRequest(
    `globalThis.got=(globalThis.got||0)+1;setTimeout(()=>emit.call(this,type,...args),${ms});return%20true`,
  )

async function canary(image: string, { options = [] as string[], meanwhile = async () => {} } = {}) {
  const child = spawn(
    process.execPath,
    ['knative/canary.ts', 'list-products', '--image', image, '--seconds', '8', ...options],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, KUBECONFIG: kubeconfig } },
  )
  const exited = once(child, 'exit')
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exited,
    // if there is nothing to do, the command exits without output
    Promise.race([once(child.stdout, 'data').then(meanwhile), exited]),
  ])
  return { code: code as number, out, err }
}

/** Returns the percentage of requests for each revision. */
async function traffic() {
  const { status } = await get<{ status: { traffic: { revisionName: string; percent: number }[] } }>([
    'services.serving.knative.dev',
    'list-products',
    '-n',
    namespace,
  ])
  return status.traffic.map(({ revisionName, percent }) => [revisionName, percent])
}

describe('the service account of canaries', () => {
  /** Returns kubectl's answer, yes or no. */
  const may = (what: string) =>
    kubectl(`auth can-i ${what} -n ${namespace} --as system:serviceaccount:${namespace}:canary`.split(' '))
      .then((answer) => answer.trim())
      // for “no”, kubectl exits with 1 and says nothing on standard error
      .catch((error: Error) =>
        error.message === 'kubectl auth failed with exit code 1' ? 'no' : error.message,
      )

  it.each(['get', 'patch'])('may %s the Service of an operation', async (verb) => {
    expect(await may(`${verb} services.serving.knative.dev/list-products`)).toBe('yes')
  })

  it.each([
    'delete services.serving.knative.dev/list-products',
    'get services.serving.knative.dev/reserve-stock',
    'patch services.serving.knative.dev/reserve-stock',
    'list services.serving.knative.dev',
    'get secrets',
    'create pods/exec',
    'create pods/portforward',
    'patch deployments.apps/gateway',
  ])('may not %s', async (what) => {
    expect(await may(what)).toBe('no')
  })
})

describe('a canary', () => {
  it('that is only slow at first gets all requests step by step', { timeout: 400_000 }, async () => {
    const [[before]] = (await traffic()) as [[string, number]]
    const { code, out, err } = await canary(await variant('good', waiting('got>20?0:1000')))
    expect(out + err).toContain('list-products is at')
    expect(out).toContain('Slower: its p99 is')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect([...out.matchAll(/(\d+) % to/g)].map(([, step]) => step)).toEqual(
      expect.arrayContaining(['5', '25', '50', '100']) as string[],
    )
    const [[after, percent]] = (await traffic()) as [[string, number]]
    expect(percent).toBe(100)
    expect(after).not.toBe(before)
  })

  it('that is slow loses its requests again', { timeout: 400_000 }, async () => {
    const before = await traffic()
    // a delay of a second is much more than a busy machine adds to both versions
    const { code, err } = await canary(await variant('slow', waiting('1000')), {
      options: ['--steps', '50,100'],
    })
    expect(code).toBe(1)
    expect(err).toMatch(/The new version is worse: its p99 is \d+ ms/)
    expect(await traffic()).toEqual(before)
  })

  it('that does not start never gets any requests', { timeout: 400_000 }, async () => {
    const before = await traffic()
    const { code, err } = await canary(await variant('broken', 'ENV FUNCTION=get-everything'), {
      options: ['--steps', '100'],
    })
    expect(code).toBe(1)
    expect(err).toContain('does not become ready')
    expect(await traffic()).toEqual(before)
  })

  it('fails no request meanwhile', async () => {
    expect(Object.keys(await load.stop())).toEqual(['200'])
  })

  it(
    'that crashes on each request loses its requests again, even if it logs nothing and the gateway’s pods are replaced',
    { timeout: 400_000 },
    async () => {
      const before = await traffic()
      const rest = steadyLoad(ask, { atOnce: 4 })
      const { code, err } = await canary(await variant('deadly', onRequest('process.exit(7)')), {
        meanwhile: async () => {
          await kubectl(['delete', 'pods', '-n', namespace, '-l', 'app.kubernetes.io/name=gateway'])
        },
      })
      expect(code).toBe(1)
      expect(err).toMatch(/The new version is worse: .* of its requests failed/)
      expect(await traffic()).toEqual(before)
      await rest.stop()
    },
  )
})
