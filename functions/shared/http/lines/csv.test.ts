import { describe, expect, it } from 'vitest'
import { Problem } from '../problems.ts'
import { csv } from './csv.ts'

/** Reads a table. A line that cannot be read becomes the detail of its problem. */
function read(...lines: string[]) {
  const readLine = csv(['quantity']).open()
  return lines.map((line) => {
    try {
      return readLine(line)
    } catch (error) {
      if (error instanceof Problem) return error.extra.detail
      throw error
    }
  })
}

describe('a table of comma-separated values', () => {
  it('names its columns in the first line, in any order', () => {
    expect(read('quantity, sku ,note', '5,MUG,"red, ""large"""', '-1,CUP,')).toEqual([
      undefined,
      { quantity: 5, sku: 'MUG', note: 'red, "large"' },
      { quantity: -1, sku: 'CUP' },
    ])
  })

  it('leaves a number that is none to the schema, and a text that is a number alone', () => {
    expect(read('sku,quantity', '0815,many', '1e3,1e3', '5')).toEqual([
      undefined,
      { sku: '0815', quantity: 'many' },
      { sku: '1e3', quantity: '1e3' },
      { sku: '5' },
    ])
  })

  it('reports a line that it cannot read, and reads the next', () => {
    const notCsv = 'The line is not valid CSV: a value with a quote in it needs quotes around it.'
    expect(read('sku,quantity', 'MUG"S,1', '"MUG,1', 'MUG,1,2,3', 'MUG,1')).toEqual([
      undefined,
      notCsv,
      notCsv,
      'The line has 4 values, but the first line names 2 columns.',
      { sku: 'MUG', quantity: 1 },
    ])
  })

  it('treats a column named like a property of objects like any other', () => {
    const [, row] = read('__proto__,constructor', 'a,b')
    expect(Object.entries(row as object)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
  })
})
