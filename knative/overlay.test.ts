import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UserError } from '../functions/shared/process/user-error.ts'
import { componentsOf, logCollectorOf, readOverlay, withAdditions } from './overlay.ts'

const components = join(import.meta.dirname, 'components')
const at = join(import.meta.dirname, 'made')
const added = (overlay: string, names: string, alertsTo?: string) =>
  withAdditions(readOverlay(overlay), { components: componentsOf(names), images: [], alertsTo }, at)

describe('the components that a deployment adds', () => {
  it('are named, or have a path if they are the user’s own', () => {
    expect(componentsOf('monitoring,own/thing')).toEqual([
      join(components, 'monitoring'),
      join(import.meta.dirname, '../own/thing'),
    ])
    expect(() => componentsOf('monitoring,magic')).toThrow(UserError)
    expect(() => componentsOf('magic')).toThrow(/no component magic. --with takes .*monitoring/)
  })

  it('are in the namespace of the overlay', () => {
    expect(added('production', 'logging')).toMatchObject({
      namespace: 'zeroshop-production',
      resources: ['../overlays/production'],
      components: ['../components/logging'],
    })
  })

  it('monitor the stores of an overlay that has some, and nobody else’s', () => {
    expect(added('local', 'monitoring').components).toContain('../components/store-exporters')
    expect(added('local', 'logging').components).not.toContain('../components/store-exporters')
    expect(added('production', 'monitoring').components).not.toContain('../components/store-exporters')
  })

  it('send alerts where the environment says', () => {
    expect(added('local', 'monitoring')).not.toHaveProperty('patches')
    expect(added('local', 'monitoring', 'webhook')).toMatchObject({
      patches: [{ target: { name: 'alerts' }, patch: expect.stringContaining('value: webhook') as string }],
    })
  })

  it('may be none: then the overlay is as it is', () => {
    const alone = withAdditions(readOverlay('local'), { components: [], images: [] }, at)
    expect(alone).not.toHaveProperty('components')
    expect(alone).not.toHaveProperty('namespace')
  })
})

it('an overlay that is not there is refused with the names of those that are', () => {
  expect(() => readOverlay('moon')).toThrow(/There is no overlay moon. Use one of local, production, staging/)
})

it('the log collector of a shop is in a namespace beside it, and sends its lines there', () => {
  const { namespace, patches } = logCollectorOf('zeroshop-staging', at)
  expect(namespace).toBe('zeroshop-staging-logs')
  const values = patches.map(({ patch }) => /value: (.*)/.exec(patch)?.[1])
  expect(values).toEqual(['zeroshop-staging', 'victoria-logs.zeroshop-staging.svc.cluster.local'])
})
