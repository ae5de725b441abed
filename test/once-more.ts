/**
 * `node test/once-more.ts VERDICTS COMMAND [ARG…]`: runs a suite, then each of its files that failed once more, alone.
 * A file that passes then is flaky; one that fails twice fails the suite. Either is added to the file VERDICTS.
 *
 * COMMAND runs all of the suite, or the files that are named after its arguments. It takes `--outputFile=PATH`, where
 * it reports as vitest's JSON reporter does.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

/** If more files fail than this, it is not by chance, and there is no time to run each again. */
const mostSecondRuns = 3
/** How many lines are kept of the output of a failure that belongs to no file. */
const linesKept = 30

interface Failure {
  /** Undefined if the suite failed outside its files, as in its global set-up. */
  file?: string
  why: string
}

/** The part of the JSON reporter's format that is read here. */
interface Report {
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[]
  }[]
}

/** Whether everything passed, at the latest in its second run. */
async function passes(verdicts: string, command: string[]): Promise<boolean> {
  const failures = await run(command)
  let failed = false
  for (const { file, why } of failures) {
    const name = file === undefined ? command.join(' ') : relative(process.cwd(), file)
    const verdict = await judge(command, file, failures.length)
    failed ||= verdict !== 'FLAKY'
    appendFileSync(verdicts, `${verdict}  ${name}\n${why.trim().replaceAll(/^/gm, '    ')}\n`)
  }
  return !failed
}

async function judge(command: string[], file: string | undefined, failures: number): Promise<string> {
  if (failures > mostSecondRuns) return 'FAILED'
  console.log(`\nOnce more${file === undefined ? '' : `, alone: ${relative(process.cwd(), file)}`}`)
  const again = await run(file === undefined ? command : [...command, file])
  return again.length === 0 ? 'FLAKY' : 'FAILED TWICE'
}

/** Runs the command, whose output is shown. Returns what failed. */
async function run([program = '', ...args]: string[]): Promise<Failure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'once-more-'))
  const outputFile = join(folder, 'report.json')
  try {
    const child = spawn(program, [...args, `--outputFile=${outputFile}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ] as const)
      from.setEncoding('utf8').on('data', (text: string) => {
        to.write(text)
        output += text
      })
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve)
    })
    if (code === 0) return []
    const failures = existsSync(outputFile) ? failuresIn(readFileSync(outputFile, 'utf8')) : []
    return failures.length > 0
      ? failures
      : [{ why: output.trimEnd().split('\n').slice(-linesKept).join('\n') }]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function failuresIn(report: string): Failure[] {
  // as the JSON reporter wrote it
  const { testResults } = JSON.parse(report) as Report
  return testResults
    .filter(({ status }) => status === 'failed')
    .map(({ name, message, assertionResults }) => {
      const tests = assertionResults.filter(({ status }) => status === 'failed')
      const messages = tests.map(
        ({ fullName, failureMessages }) => `${fullName}\n${failureMessages.join('\n')}`,
      )
      return { file: name, why: withoutFrames([message, ...messages].filter(Boolean).join('\n')) }
    })
}

/** Without the stack frames of libraries and of Node. */
const withoutFrames = (text: string) => text.replaceAll(/\n +at .*(?:node_modules|node:|<anonymous>).*/g, '')

const [verdicts, ...command] = process.argv.slice(2)
if (verdicts === undefined || command.length === 0)
  throw new Error('usage: once-more.ts VERDICTS COMMAND [ARG…]')
process.exitCode = (await passes(verdicts, command)) ? 0 : 1
