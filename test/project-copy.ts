import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** Copies the project into a folder, including changes that are not committed, but without installed and built files. */
export function cloneInto(folder: string) {
  const list = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
  })
  // git also lists files that were deleted
  for (const file of list.split('\0').filter((file) => file !== '' && existsSync(join(root, file)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    cpSync(join(root, file), join(folder, file), { preserveTimestamps: true })
  }
}

/** Copies the project into a folder that a test may change. The copy shares the project's packages. */
export function copyProject() {
  const folder = mkdtempSync(join(tmpdir(), 'zeroshop-copy-'))
  chmodSync(folder, 0o755)
  cloneInto(folder)
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  git('init', '--quiet')
  git('add', '--all')

  function git(...args: string[]): string {
    return execFileSync('git', args, { cwd: folder, encoding: 'utf8' })
  }

  return {
    folder,
    /** Replaces a text in a file. @throws if the file does not contain the text */
    edit(file: string, from: string, to: string) {
      const text = readFileSync(join(folder, file), 'utf8')
      if (!text.includes(from)) throw new Error(`${file} has no ${from}`)
      writeFileSync(join(folder, file), text.replace(from, to))
    },
    write: (file: string, text: string) => writeFileSync(join(folder, file), text),
    /** Adds a domain as a developer does: a folder and a line. */
    addDomain(name: string, fixture: string) {
      cpSync(fixture, join(folder, 'functions', name), { recursive: true })
      appendFileSync(
        join(folder, 'functions/functions.ts'),
        `export { default as ${name} } from './${name}/domain.ts'\n`,
      )
    },
    /** Runs a command in the copy. @throws an error with its output if it fails */
    run(command: string, ...args: string[]): string {
      const { status, stdout, stderr } = spawnSync(command, args, {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}` },
      })
      if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`)
      return stdout
    },
    /** Returns the files that differ from the project, sorted. */
    changed: () =>
      git('status', '--porcelain', '--untracked-files=all')
        .split('\n')
        .filter((line) => /^.M|^\?\?/.test(line))
        .map((line) => line.slice(3))
        .toSorted(),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export type ProjectCopy = ReturnType<typeof copyProject>

/** The folder of a domain that tests add. */
export const wishes = join(import.meta.dirname, 'fixtures/wishes')
