/**
 * Sends what a button does.
 * @throws Error with the problem's text if it is refused, or the shop does not answer
 */
export async function post<T>(path: string, body: object): Promise<T> {
  const response = await fetch(`/_console${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  }).catch(() => undefined)
  if (response === undefined) throw new Error('The shop does not answer.')
  const answer = (await response.json()) as T & { title?: string; detail?: string }
  if (!response.ok) throw new Error(answer.detail ?? answer.title ?? `The shop answered ${response.status}.`)
  return answer
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
