import { existsSync, readdirSync, realpathSync, rmSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { run } from '../../functions/shared/process/run.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { readArguments } from './arguments.ts'
import { lockDataDir } from '../lock.ts'
import { chooseDataDir, marker } from '../stores/data-folder.js'
import { codeOf } from '../stores/field.ts'
import { stopLeftovers } from '../stores/leftovers.ts'

const usage = `npm run reset [-- --yes]
Removes the data folder with all orders in it. Asks for confirmation first.
  --yes   does not ask
DATA_DIR sets the data folder (.data).`

const ask = async (question: string): Promise<boolean> => {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  // Ctrl-C and Ctrl-D count as no
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')))
  const answer = await Promise.race([terminal.question(question).catch(() => ''), closed])
  terminal.close()
  return /^y(es)?$/i.test(answer.trim())
}

/**
 * Removes a data folder with all its content.
 * @throws UserError if a shop is running on it
 */
const remove = async (dataDir: string): Promise<void> => {
  lockDataDir(dataDir)
  await stopLeftovers(dataDir)
  for (const file of readdirSync(dataDir)) {
    // remove the marker last, so that an interrupted reset can be repeated
    if (file !== marker) rmSync(join(dataDir, file), { recursive: true, force: true })
  }
  rmSync(join(dataDir, marker))
  try {
    rmdirSync(dataDir)
  } catch (error) {
    // a mount point cannot be removed
    if (codeOf(error) !== 'EBUSY' && codeOf(error) !== 'ENOTEMPTY') throw error
  }
}

const reset = async (): Promise<void> => {
  const { values } = readArguments(usage, {
    options: {
      yes: { type: 'boolean', short: 'y', default: false },
    },
  })
  const { dataDir: named } = chooseDataDir(process.env)
  if (!existsSync(named)) {
    console.log(`Nothing to remove: ${named} does not exist.`)
    return
  }
  const dataDir = realpathSync(named)
  if (!existsSync(join(dataDir, marker))) {
    throw new UserError(
      `${dataDir} is not a data folder of Zeroshop (it has no ${marker}): nothing was removed.`,
    )
  }
  if (!values.yes && !process.stdin.isTTY) {
    throw new UserError(
      `This removes ${dataDir} with all orders in it. To confirm, run: npm run reset -- --yes`,
    )
  }
  if (!values.yes && !(await ask(`Remove ${dataDir} with all orders in it? (y/N) `))) {
    console.log('Nothing was removed.')
    return
  }
  await remove(dataDir)
  console.log(`Removed ${dataDir}.`)
}

await run(reset)
