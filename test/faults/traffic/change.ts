import type { Scene } from './scene.ts'

interface Answer {
  data?: { id: string }
  error?: unknown
  response: Response
}

/** Reads a resource and changes it with If-Match. Gives up if it was changed or deleted in the meantime. */
export const createChange =
  ({ insist, promised }: Scene) =>
  async (read: () => Promise<Answer>, write: (ifMatch: { 'If-Match': string }) => Promise<Answer>) => {
    const { data, response } = await insist('reading before a change', read)
    if (data === undefined) return
    const ifMatch = { 'If-Match': response.headers.get('etag') ?? '' }
    const changed = await insist('a change', () => write(ifMatch))
    if (changed.data === undefined) return
    const { id } = changed.data
    promised.versions.set(id, Math.max(versionOf(changed.response), promised.versions.get(id) ?? 0))
  }

export type Change = ReturnType<typeof createChange>

const versionOf = ({ headers }: Response) => Number(headers.get('etag')?.replaceAll('"', ''))
