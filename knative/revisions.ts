import { get, kubectl } from './kubectl.ts'

export interface Revision {
  metadata: { name: string; annotations?: Record<string, string> }
  spec: { containers: [{ image: string }] }
}

/**
 * Removes revisions.
 * @param selector of their labels; `unrouted` are those that get no requests
 * @param isDone which of them are of no use any more
 */
export async function discardRevisions(
  namespace: string,
  selector: string,
  isDone: (revision: Revision) => boolean,
): Promise<void> {
  const kind = 'revisions.serving.knative.dev'
  const { items } = await get<{ items: Revision[] }>([kind, '-n', namespace, '-l', selector])
  const names = items.filter(isDone).map(({ metadata }) => metadata.name)
  if (names.length > 0) await kubectl(['delete', kind, '-n', namespace, '--wait=false', ...names])
}

export const unrouted = 'serving.knative.dev/routingState=reserve'

/** An HPA never goes to zero: a revision that gets no requests would keep its pod until Knative removes it, a day or two. */
export const keepsItsPod = ({ metadata }: Revision): boolean =>
  metadata.annotations?.['autoscaling.knative.dev/class']?.startsWith('hpa.') === true
