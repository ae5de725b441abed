import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { invoiceOf } from './amounts.ts'
import { canonical, faultsIn, hashOf } from './chain.ts'
import { newBill } from './fixtures.ts'
import { nextPlace, numberOf, type InvoiceRow } from './invoice.ts'

const id = '01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4e'
const seller = { name: 'Shop', address: 'Street 1, Town', taxId: 'DE1' }
const bill = newBill(id)

/** Returns a series of invoices that were issued at these times. */
function seriesAt(...times: string[]): InvoiceRow[] {
  const rows: InvoiceRow[] = []
  for (const time of times) {
    const last = rows.at(-1)
    const issuedAt = new Date(time)
    const { year, seq } = nextPlace(last && { year: last.year, last: last.seq }, issuedAt)
    const row = {
      id,
      series: 'INV' as const,
      year,
      seq,
      number: numberOf('INV', year, seq),
      issuedAt,
      source: id,
      orderId: id,
      paymentId: id,
      customerId: id,
      previousHash: last?.hash ?? '',
      content: invoiceOf(bill, bill, seller),
    }
    rows.push({ ...row, hash: hashOf(row) })
  }
  return rows
}

describe('the numbers of a series', () => {
  it('count from one in each year, without gaps', () => {
    const rows = seriesAt('2026-12-30T10:00:00Z', '2026-12-31T23:59:59Z', '2027-01-01T00:00:00Z')
    expect(rows.map(({ number }) => number)).toEqual([
      'INV-2026-000001',
      'INV-2026-000002',
      'INV-2027-000001',
    ])
    expect(faultsIn(rows)).toEqual([])
  })

  it('do not go back to a year that is over', () => {
    expect(nextPlace({ year: 2027, last: 3 }, new Date('2026-12-31T23:59:59Z'))).toEqual({
      year: 2027,
      seq: 4,
    })
  })
})

describe('the chain of a series', () => {
  const rows = seriesAt('2026-05-01T10:00:00Z', '2026-05-02T10:00:00Z', '2026-05-03T10:00:00Z')
  const tampered = (change: (row: InvoiceRow) => Partial<InvoiceRow>) =>
    faultsIn(rows.map((row, i) => (i === 1 ? { ...row, ...change(row) } : row)))

  it('tells that an amount was changed', () => {
    expect(tampered(({ content }) => ({ content: { ...content, gross: 1 } }))).toEqual([
      'INV-2026-000002 was changed after it was issued',
    ])
  })

  it('tells that an invoice was changed and hashed anew', () => {
    const forge = (row: InvoiceRow) => {
      const forged = { ...row, customerId: '01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4f' }
      return { ...forged, hash: hashOf(forged) }
    }
    expect(tampered(forge)).toEqual(['INV-2026-000003 does not follow INV-2026-000002'])
  })

  it('tells that one is missing', () => {
    expect(faultsIn([rows[0]!, rows[2]!])).toEqual([
      'INV-2026-000003 does not follow INV-2026-000001',
      'INV-2026-000002 is missing before INV-2026-000003',
    ])
    expect(faultsIn(rows.slice(1))).toContain('INV-2026-000001 is missing before INV-2026-000002')
  })
})

describe('the canonical form', () => {
  it('is the same in whatever order fields come, and after PostgreSQL has stored it', () => {
    expect(canonical({ b: [1, { d: null, c: 'ä"' }], a: undefined, A: true })).toBe(
      '{"A":true,"b":[1,{"c":"ä\\"","d":null}]}',
    )
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const entries = Object.entries(value)
        const reversed = Object.fromEntries(entries.toReversed())
        expect(canonical(reversed)).toBe(canonical(value))
        expect(canonical(JSON.parse(JSON.stringify(value)))).toBe(canonical(value))
      }),
    )
  })
})
