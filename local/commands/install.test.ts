import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

describe('install.js', () => {
  let project: string
  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), 'zeroshop-'))
    const root = { name: 'sample', version: '1.0.0', dependencies: { part: 'file:part' } }
    mkdirSync(join(project, 'part'))
    writeFileSync(join(project, 'part/package.json'), JSON.stringify({ name: 'part', version: '1.0.0' }))
    writeFileSync(join(project, 'package.json'), JSON.stringify(root))
    execFileSync('npm', ['install', '--package-lock-only', '--offline', '--silent'], { cwd: project })
  })
  afterEach(() => rmSync(project, { recursive: true }))

  const install = async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'install.js'), project])
    const said: string[] = []
    child.stdout.on('data', (data: Buffer) => said.push(data.toString().trim()))
    child.stderr.on('data', (data: Buffer) => said.push(data.toString().trim()))
    const [code]: unknown[] = await once(child, 'close')
    return { code, said: said.join('\n') }
  }

  const installing = 'Installing packages (first run) …'
  const lock = () => join(project, 'package-lock.json')

  it('installs once if several processes start at the same time, and then has nothing to do', async () => {
    const both = await Promise.all([install(), install()])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect(both.map(({ said }) => said).sort()).toEqual(['', installing])
    expect(existsSync(join(project, 'node_modules/part/package.json'))).toBe(true)
    expect(await install()).toEqual({ code: 0, said: '' })
  })

  it('installs again if the content of the lock file has changed, but not if only its time has', async () => {
    await install()
    const later = new Date(Date.now() + 5000)
    utimesSync(lock(), later, later)
    expect(await install()).toEqual({ code: 0, said: '' })
    writeFileSync(lock(), `${readFileSync(lock(), 'utf8')}\n`)
    utimesSync(lock(), later, later)
    expect(await install()).toEqual({ code: 0, said: installing })
  })

  it('comes first in every script, and the program that follows is looked up again', () => {
    const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    // oxlint and tsc only exist in node_modules
    const program = /^(?:exec env (?:[A-Z_]+=\S+ )?(?:node|vitest|tsc|prettier) |oxlint |tsc )/
    for (const script of Object.values(scripts)) {
      const [install, then] = script.split(/ && (.*)/)
      expect(install).toMatch(/^node local\/commands\/install\.js(?: --stores)?$/)
      expect(then).toMatch(program)
    }
  })

  it('says what to do if the install fails', async () => {
    writeFileSync(lock(), '{}')
    const { code, said } = await install()
    expect(code).toBe(1)
    expect(said).toMatch(/could not be installed\. See the output of npm above\. .* then try again\.$/)
  })
})
