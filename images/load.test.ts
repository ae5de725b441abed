import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commonJsPackage } from './bundle.ts'
import { toCommonJs } from './commonjs.ts'

const folder = mkdtempSync(join(tmpdir(), 'zeroshop-load-'))

async function write(path: string, source: string) {
  writeFileSync(join(folder, path), (await toCommonJs(path, source)).code)
}

const compile = () => execFileSync(process.execPath, [join(import.meta.dirname, 'compile.js'), folder])

const run = (...flags: string[]) =>
  execFileSync(process.execPath, [...flags, join(folder, 'functions/main.js')], { encoding: 'utf8' }).trim()

beforeAll(async () => {
  mkdirSync(join(folder, 'functions'))
  writeFileSync(join(folder, 'package.json'), commonJsPackage)
  await write(
    'functions/main.js',
    `import { value, setValue } from '../value.js'
     setValue('set once')
     void import(new URL('lazy.js', import.meta.url).href).then(({ read }) => console.log(value, read()))`,
  )
  await write('functions/lazy.js', "import { value } from '../value.js'; export const read = () => value")
  await write('value.js', "export let value = ''; export const setValue = (to) => (value = to)")
})

afterAll(() => rmSync(folder, { recursive: true }))

describe('a bundle', () => {
  it('runs without compiled code, and has each module once', () => {
    expect(run()).toBe('set once set once')
  })

  it('runs from compiled code, and also if V8 refuses that because of other flags', () => {
    compile()
    expect(run()).toBe('set once set once')
    expect(run('--stack-trace-limit=20')).toBe('set once set once')
  })

  it('does not run the compiled code of an earlier source that was as long', async () => {
    await write('functions/lazy.js', "import { value } from '../value.js'; export const read = () => 'newer'")
    compile()
    expect(run()).toBe('set once newer')
    await write('functions/lazy.js', "import { value } from '../value.js'; export const read = () => 'other'")
    expect(run()).toBe('set once other')
  })
})
