import { get, kubectl } from './kubectl.ts'

export interface Revision {
  metadata: { name: string; annotations?: Record<string, string> }
  spec: { containers: [{ image: string }] }
}

/**
 * Deletes revisions.
 * @param selector a label selector; `unrouted` selects revisions that get no requests
 * @param isDone whether a selected revision is no longer needed
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

/**
 * Whether a revision keeps a pod even if it gets no requests. An HPA does not scale to zero, so the pod would
 * run until Knative deletes the revision after a day or two.
 */
export const keepsItsPod = ({ metadata }: Revision): boolean =>
  metadata.annotations?.['autoscaling.knative.dev/class']?.startsWith('hpa.') === true
