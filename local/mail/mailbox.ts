import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makePrivateFolder } from '../stores/data-dir.ts'

/** The mails that were caught, as files in a folder that only its owner may read. Only the newest are kept. */
export interface Mailbox {
  add(raw: Buffer): void
  /** The ids of the mails, newest first. */
  ids(): string[]
  /** Returns a mail, or undefined if there is none with this id. */
  read(id: string): Buffer | undefined
}

export interface MailboxLimits {
  /** How many mails are kept. */
  count: number
  /** How many bytes they may take together. */
  bytes: number
}

const extension = '.eml'

export function openMailbox(
  folder: string,
  { count, bytes }: MailboxLimits = { count: 200, bytes: 20_000_000 },
): Mailbox {
  let last = 0
  const ids = () =>
    filesIn(folder)
      .map((file) => file.slice(0, -extension.length))
      .toSorted((a, b) => Number(b) - Number(a))
  const fileOf = (id: string) => join(folder, `${id}${extension}`)
  return {
    ids,
    add(raw) {
      makePrivateFolder(folder)
      // the time, but no two alike
      last = Math.max(Date.now(), last + 1)
      writeFileSync(fileOf(String(last)), raw, { mode: 0o600 })
      let left = bytes
      for (const [i, id] of ids().entries()) {
        left -= statSync(fileOf(id)).size
        if (i >= count || left < 0) rmSync(fileOf(id))
      }
    },
    read: (id) => (ids().includes(id) ? readFileSync(fileOf(id)) : undefined),
  }
}

/** Returns the files of mails. The folder is made with the first mail. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => /^\d{1,16}\.eml$/.test(file))
  } catch {
    return []
  }
}
