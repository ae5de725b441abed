import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withTax } from '../orders/pricing.ts'
import { creditNoteOf, invoiceOf, taxSums } from './amounts.ts'
import { newBill } from './fixtures.ts'
import type { InvoiceContent } from './invoice.ts'

const id = '01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4e'
const seller = { name: 'Shop', address: 'Street 1, Town', taxId: 'DE1' }

const line = fc
  .record({
    amount: fc.integer({ min: 0, max: 1_000_000 }),
    taxRate: fc.constantFrom(0, 550, 700, 1900, 2500),
  })
  .map(({ amount, taxRate }) => ({
    sku: 'A',
    name: 'A',
    quantity: 1,
    unitPrice: amount,
    discount: 0,
    ...withTax(amount, taxRate, 'gross'),
  }))
const bill = fc.array(line, { minLength: 1, maxLength: 8 }).map((lines) => newBill(id, { lines }))

const booksOf = (content: InvoiceContent, creditNotes: InvoiceContent[]) => ({
  invoices: [{ number: 'INV-2026-000001', content }],
  creditNotes: creditNotes.map((one) => ({ content: one })),
})

describe('an invoice', () => {
  it('adds up by rate and in all, with the shipping', () => {
    const given = newBill(id)
    expect(invoiceOf(given, given, seller)).toMatchObject({
      taxes: [{ taxRate: 1900, net: 2580, tax: 490, gross: 3070 }],
      net: 2580,
      tax: 490,
      gross: 3070,
      suppliedAt: given.shippedAt,
      corrects: [],
    })
  })

  it('adds up whatever is in it', () => {
    fc.assert(
      fc.property(bill, (given) => {
        const { net, tax, gross, taxes } = invoiceOf(given, given, seller)
        expect(net + tax).toBe(gross)
        expect(taxes.reduce((sum, one) => sum + one.gross, 0)).toBe(gross)
      }),
    )
  })
})

describe('the credit notes of an invoice', () => {
  it('divide an amount over the rates in proportion', () => {
    const part = (taxRate: number) => ({
      ...newBill(id).lines[0]!,
      ...withTax(taxRate === 1900 ? 3000 : 1000, taxRate, 'gross'),
    })
    const content = invoiceOf(newBill(id), { lines: [part(1900), part(700)], shipping: null }, seller)
    expect(creditNoteOf(booksOf(content, []), { amount: 1000 }, seller)).toMatchObject({
      lines: [
        { name: 'Refund', taxRate: 1900, net: 630, tax: 120, gross: 750 },
        { name: 'Refund', taxRate: 700, net: 234, tax: 16, gross: 250 },
      ],
      gross: 1000,
      corrects: ['INV-2026-000001'],
    })
  })

  it('take back exactly its tax of each rate, however the refunds are cut', () => {
    fc.assert(
      fc.property(
        bill,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
        (given, cuts) => {
          const content = invoiceOf(given, given, seller)
          const notes: InvoiceContent[] = []
          let left = content.gross
          for (const cut of [...cuts, 1]) {
            const amount = Math.floor(left * cut)
            if (amount === 0) continue
            const note = creditNoteOf(booksOf(content, notes), { amount }, seller)
            expect(note.gross).toBe(amount)
            for (const { net, tax, gross } of note.lines) {
              expect(net).toBeGreaterThanOrEqual(0)
              expect(tax).toBeGreaterThanOrEqual(0)
              expect(net + tax).toBe(gross)
            }
            notes.push(note)
            left -= amount
          }
          expect(left).toBe(0)
          const credited = taxSums(notes.flatMap(({ taxes }) => taxes))
          expect(credited).toEqual(content.taxes.filter(({ gross }) => gross > 0))
        },
      ),
    )
  })

  it('have the lines of a return, if it is that which was refunded', () => {
    const given = newBill(id)
    const content = invoiceOf(given, given, seller)
    const lines = [{ sku: 'MUG', quantity: 1, net: 1084, taxRate: 1900, tax: 206, gross: 1290 }]
    const returned = { id, lines }
    expect(creditNoteOf(booksOf(content, []), { amount: 1290, returned }, seller)).toMatchObject({
      lines: [{ ...lines[0], name: 'Enamel mug' }],
      returnId: id,
    })
    // less was left than the pieces cost
    const less = creditNoteOf(booksOf(content, []), { amount: 1000, returned }, seller)
    expect(less).toMatchObject({ lines: [{ name: 'Refund', gross: 1000 }], returnId: id })
  })
})
