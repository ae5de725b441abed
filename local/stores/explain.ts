import { statfsSync } from 'node:fs'
import { UserError } from '../../functions/shared/process/user-error.ts'

const matters = /FATAL|PANIC|\[FTL\]|\[ERR\]|ERROR|Error\b|error:|"s":"[FE]"/
// Dates, process numbers, time zones: what stands before the message in each store's log.
const preamble = /^(?:\[\d+\]\s*|\d{4}[-/]\d\d[-/]\d\d[ T][\d:.,]+\s*|UTC\s*)+/

/** The last line of a log that tells what went wrong; the last line at all when none does. */
export const lineThatMatters = (log: string): string | undefined => {
  const lines = log.split('\n').filter((line) => line.trim() !== '')
  const line = lines.findLast((line) => matters.test(line)) ?? lines.at(-1)
  return line?.trim().replace(preamble, '').slice(0, 300)
}

/** What is left on the disk that holds a folder, in bytes; plenty when that cannot be told. */
export const freeBytes = (folder: string): number => {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch {
    return Infinity
  }
}

export const diskFull = (title: string, dataDir: string): UserError =>
  new UserError(
    `${title} could not start because the disk that holds ${dataDir} is full. Free some space and start again.`,
  )

/** One line about a store that ended while it started. */
export const explainExit = (
  title: string,
  log: string,
  logFile: string | undefined,
  dataDir: string,
): UserError => {
  const saidSo = /No space left on device|ENOSPC|Disk quota exceeded|disk is full/i.test(log)
  // Not every store says so when it has run out of space.
  if (saidSo || freeBytes(dataDir) < 1_000_000) return diskFull(title, dataDir)
  if (/Read-only file system/.test(log)) {
    return new UserError(`${title} cannot write to ${dataDir}. Set DATA_DIR to a folder that can be written.`)
  }
  const line = lineThatMatters(log)
  const said = line === undefined ? 'without saying why' : `after saying "${line}"`
  return new UserError(
    `${title} stopped while starting, ${said}.${logFile === undefined ? '' : ` Its log: ${logFile}`}`,
  )
}
