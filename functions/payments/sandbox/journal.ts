import { createReadStream } from 'node:fs'
import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'

/**
 * An append-only file of JSON Lines. Once `append` resolves, the entry survives a crash. Entries that arrive
 * during a flush are written together by the next one, so many requests share one fsync.
 */
export interface Journal<E> {
  append(entry: E): Promise<void>
  /** Resolves once everything appended so far is on the disk. */
  flushed(): Promise<void>
  /** Returns the entries that are on the disk. */
  read(): Readable
  close(): Promise<void>
}

/**
 * Opens the journal and reads its entries. An incomplete last line, left by a crash, was never acknowledged
 * and is removed.
 * @param parse throws if the line is not a journal entry
 * @param onBroken called if a write fails; the state in memory is then ahead of the file
 * @throws if any other line cannot be read
 */
export async function openJournal<E>(
  path: string,
  parse: (line: string) => E,
  onBroken: (error: unknown) => void = () => {},
): Promise<{ entries: E[]; journal: Journal<E> }> {
  await mkdir(dirname(path), { recursive: true })
  const file = await open(path, 'a+')
  try {
    const { entries, size } = await readAll(file, path, parse)
    await file.truncate(size)
    await file.sync()
    await syncFolder(dirname(path))
    return { entries, journal: writer(file, path, size, onBroken) }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function readAll<E>(file: FileHandle, path: string, parse: (line: string) => E) {
  const total = (await file.stat()).size
  const entries: E[] = []
  let size = 0
  for await (const line of file.readLines({ start: 0, autoClose: false, encoding: 'utf8' })) {
    const end = size + Buffer.byteLength(line) + 1
    const isTorn = end > total
    try {
      if (!isTorn) entries.push(parse(line))
    } catch {
      if (end < total) throw new Error(`${path} is damaged at byte ${size}: restore it, or move it away`)
      break
    }
    if (isTorn) break
    size = end
  }
  return { entries, size }
}

function writer<E>(
  file: FileHandle,
  path: string,
  startSize: number,
  onBroken: (error: unknown) => void,
): Journal<E> {
  let size = startSize
  let waiting: string[] = []
  let flushing: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined

  function flushed(): Promise<void> {
    return next ?? flushing
  }

  async function flush() {
    await flushing
    flushing = next!
    next = undefined
    const lines = Buffer.from(waiting.join(''))
    waiting = []
    try {
      await file.appendFile(lines)
      await file.datasync()
      size += lines.length
    } catch (error) {
      onBroken(error)
      throw error
    }
  }

  return {
    flushed,
    append: (entry) => {
      waiting.push(`${JSON.stringify(entry)}\n`)
      // once a flush has failed, all later ones fail too
      next ??= flush()
      return next
    },
    read: () => (size === 0 ? Readable.from([]) : createReadStream(path, { end: size - 1 })),
    close: async () => {
      await flushed().catch(() => {})
      await file.close()
    },
  }
}

/** Syncs the folder, so that the directory entry of a new file survives a crash too. */
async function syncFolder(path: string) {
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
