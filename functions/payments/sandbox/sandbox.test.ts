import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Sandbox, type Entry } from './sandbox.ts'

const eur = (amount: number) => ({ amount, currency: 'EUR' })
const command = fc.record({
  deed: fc.constantFrom('capture', 'void', 'refund' as const),
  amount: fc.integer({ min: 1, max: 100 }),
})
const card = fc.constantFrom('card_approved', 'card_declined', 'card_capture_fails', 'card_never_seen')

/** Runs commands on one payment and returns all decisions of the sandbox. */
function run(
  cardToken: string,
  commands: { deed: 'capture' | 'void' | 'refund'; amount: number }[],
): Entry[] {
  const journal: Entry[] = []
  const sandbox = new Sandbox([], (entry) => journal.push(entry))
  sandbox.authorize({ reference: 'r', cardToken, amount: eur(100) }, { key: 'k', hash: 'h' })
  for (const [i, { deed, amount }] of commands.entries())
    sandbox.perform(sandbox.byReference('r')!, deed, amount, { key: `k${i}`, hash: 'h' })
  return journal
}

describe('the sandbox', () => {
  it('captures at most what is authorised, nothing after a void, and refunds at most what is captured', () => {
    fc.assert(
      fc.property(card, fc.array(command, { maxLength: 20 }), (card, commands) => {
        const done = run(card, commands).filter(({ outcome }) => outcome === 'done')
        const sumOf = (deed: string) =>
          done.filter(({ operation }) => operation === deed).reduce((sum, { amount }) => sum + amount, 0)
        const captured = sumOf('capture')
        expect(captured).toBeLessThanOrEqual(100)
        const voided = done.findIndex(({ operation }) => operation === 'void')
        const after = voided < 0 ? [] : done.slice(voided + 1)
        expect(after.every(({ operation }) => operation === 'refund')).toBe(true)
        expect(sumOf('refund')).toBeLessThanOrEqual(captured)
        expect(done.at(-1)?.payment ?? { captured, refunded: 0 }).toMatchObject({
          captured,
          refunded: sumOf('refund'),
        })
      }),
    )
  })

  it('has the same state when it is rebuilt from its journal', () => {
    fc.assert(
      fc.property(card, fc.array(command, { maxLength: 20 }), (card, commands) => {
        const journal = run(card, commands)
        const rebuilt = new Sandbox(journal)
        expect(rebuilt.byReference('r')).toEqual(journal.at(-1)!.payment)
        for (const entry of journal) expect(rebuilt.byKey(entry.key)).toEqual(entry)
      }),
    )
  })

  it('numbers its decisions without gaps, even after it is rebuilt', () => {
    const journal = run('card_approved', [{ deed: 'capture', amount: 100 }])
    const rebuilt = new Sandbox(journal, (entry) => journal.push(entry))
    rebuilt.authorize(
      { reference: 'r2', cardToken: 'card_approved', amount: eur(1) },
      { key: 'x', hash: 'h' },
    )
    expect(journal.map(({ seq }) => seq)).toEqual([1, 2, 3])
  })
})
