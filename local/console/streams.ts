import type { ServerResponse } from 'node:http'

/** More pages than anyone opens. A browser opens six connections at most. */
const most = 12
/** How much may wait for a slow client, in bytes. */
const mostUnsent = 512 * 1024

export type Streams = ReturnType<typeof createStreams>

/** Keeps the event streams of the open pages. */
export function createStreams() {
  const open = new Set<ServerResponse>()
  return {
    isFull: () => open.size >= most,
    count: () => open.size,

    /** @param onClose called when the client has left, or was too slow */
    add(response: ServerResponse, onClose: () => void): void {
      open.add(response)
      response.once('close', () => {
        open.delete(response)
        onClose()
      })
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store',
      })
      response.write('retry: 1000\n\n')
    },

    /** Sends a message to one page or to all. A client that does not read is cut off: it begins anew when it connects again. */
    send(message: unknown, to: Iterable<ServerResponse> = open): void {
      const text = message === undefined ? ':\n\n' : `data: ${JSON.stringify(message)}\n\n`
      for (const response of to)
        if (response.writableLength > mostUnsent) response.destroy()
        else response.write(text)
    },

    close(): void {
      for (const response of open) response.destroy()
    },
  }
}
