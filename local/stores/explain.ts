import { statfsSync } from 'node:fs'
import { UserError } from '../../functions/shared/process/user-error.ts'

const matters = /FATAL|PANIC|\[FTL\]|\[ERR\]|ERROR|Error\b|error:|"s":"[FE]"/
// dates, pids and time zones before the message in the logs of the stores
const preamble = /^(?:\[\d+\]\s*|\d{4}[-/]\d\d[-/]\d\d[ T][\d:.,]+\s*|UTC\s*)+/

/** Returns the last line of a log that reports an error, or else the last line. */
export const lineThatMatters = (log: string): string | undefined => {
  const lines = log.split('\n').filter((line) => line.trim() !== '')
  const line = lines.findLast((line) => matters.test(line)) ?? lines.at(-1)
  return line?.trim().replace(preamble, '').slice(0, 300)
}

/** Returns the free space on the disk that holds a folder, in bytes; Infinity if it cannot be determined. */
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

/** Returns an error that explains in one line why a store ended while it was starting. */
export const explainExit = (
  title: string,
  log: string,
  logFile: string | undefined,
  dataDir: string,
): UserError => {
  const saidSo = /No space left on device|ENOSPC|Disk quota exceeded|disk is full/i.test(log)
  // not every store reports that the disk is full
  if (saidSo || freeBytes(dataDir) < 1_000_000) return diskFull(title, dataDir)
  if (/Read-only file system/.test(log)) {
    return new UserError(`${title} cannot write to ${dataDir}. Set DATA_DIR to a writable folder.`)
  }
  const line = lineThatMatters(log)
  const said = line === undefined ? 'without a message' : `with the message "${line}"`
  return new UserError(
    `${title} stopped while it was starting, ${said}.${logFile === undefined ? '' : ` Its log: ${logFile}`}`,
  )
}
