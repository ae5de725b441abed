/**
 * Reads a body to its end. Returns it, or undefined if it is larger than `maxSize` bytes; what exceeds the
 * limit is discarded.
 */
export async function readUpTo(
  maxSize: number,
  body: AsyncIterable<Uint8Array>,
): Promise<Buffer<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size <= maxSize) chunks.push(chunk)
  }
  return size <= maxSize ? Buffer.concat(chunks) : undefined
}
