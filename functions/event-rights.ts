import { stateViewOf } from '../events/state-events.ts'

/** What a role may do in the schema of event delivery beyond what every domain may do. */
export interface Rights {
  /** The event types that its projections are made from. It may read those events. */
  projects: readonly string[]
  /** Whether it leaves secrets for other domains. */
  leavesSecrets: boolean
  /** Whether other domains leave secrets for it. */
  takesSecrets: boolean
}

/** Returns the SQL that creates the view of a role's state events. It can run repeatedly. */
export function stateView(role: string, { projects }: Rights): string[] {
  if (projects.length === 0) return []
  const view = `events.${stateViewOf(role)}`
  const types = projects.map((type) => `'${type}'`).join()
  return [
    // the barrier keeps the role's own expressions from seeing other events
    `create or replace view ${view} with (security_barrier) as
      select type, subject, version, data from events.outbox where version is not null and type in (${types})`,
    `grant select on ${view} to ${role}`,
  ]
}

/** Returns the SQL that grants a role its part in secrets. Row-level security limits it to its own rows. */
export function secretRights(role: string, { leavesSecrets, takesSecrets }: Rights): string[] {
  const rights = [...(leavesSecrets ? ['insert'] : []), ...(takesSecrets ? ['select', 'delete'] : [])]
  return rights.length === 0 ? [] : [`grant ${rights.join(', ')} on events.secrets to ${role}`]
}

/** The SQL that lets the relay delete old secrets, but not read them. */
export const relayOnSecrets = [
  'revoke all on events.secrets from events',
  'grant delete, select (at) on events.secrets to events',
]
