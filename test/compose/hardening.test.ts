import { expect, it } from 'vitest'
import { dockerSays } from '../../images/docker.ts'
import { shop, type Container } from './shop.ts'

it('lets no container run as root or with capabilities', async () => {
  const ids = (await shop.compose('ps', '--quiet')).trim().split('\n')
  // printed by docker
  const containers = JSON.parse(await dockerSays(['inspect', ...ids])) as Container[]
  const pids = containers.map(({ State }) => State.Pid)
  // from a container that sees the host's processes
  const options = '--pid host --network none --entrypoint grep nats:2.12-alpine'.split(' ')
  const statuses = await dockerSays([
    'run',
    '--rm',
    ...options,
    '-hE',
    '^(Uid|CapPrm|CapEff|CapBnd|NoNewPrivs):',
    ...pids.map((pid) => `/proc/${pid}/status`),
  ])
  const lines = statuses.trim().split('\n')
  for (const [n, { Name }] of containers.entries()) {
    const status = lines.slice(5 * n, 5 * n + 5).map((line) => line.split('\t'))
    const [[, uid], ...rest] = status as [string[], ...string[][]]
    expect({ Name, uid: Number(uid), rest: rest.map(([, value]) => Number(`0x${value}`)) }).toEqual({
      Name,
      uid: expect.toSatisfy((uid: number) => uid > 0) as number,
      // no capabilities, and no way to get any
      rest: [0, 0, 0, 1],
    })
  }
})
