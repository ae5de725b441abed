import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openMailbox } from './mailbox.ts'

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'zeroshop-mails-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'mails')
}

const mail = (text: string) => Buffer.from(text)

it('keeps mails in a private folder, newest first, also for the next start', () => {
  const folder = newFolder()
  const mailbox = openMailbox(folder)
  expect([mailbox.ids(), existsSync(folder)]).toEqual([[], false])
  for (const text of ['one', 'two', 'three']) mailbox.add(mail(text))
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  const again = openMailbox(folder)
  expect(again.ids().map((id) => String(again.read(id)))).toEqual(['three', 'two', 'one'])
})

it('keeps only the newest, and no more bytes than it may', () => {
  const mailbox = openMailbox(newFolder(), { count: 3, bytes: 10 })
  const kept = () => mailbox.ids().map((id) => String(mailbox.read(id)))
  for (const text of ['one', 'two', 'six', 'ten']) mailbox.add(mail(text))
  expect(kept()).toEqual(['ten', 'six', 'two'])
  mailbox.add(mail('thirty'))
  expect(kept()).toEqual(['thirty', 'ten'])
})

it('reads nothing but mails', () => {
  const mailbox = openMailbox(newFolder())
  mailbox.add(mail('one'))
  for (const id of ['', '..', '../mails', '1', 'x']) expect(mailbox.read(id)).toBeUndefined()
})
