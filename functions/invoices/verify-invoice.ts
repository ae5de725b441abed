import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { faultsOf } from './chain.ts'
import { Verification } from './invoice.ts'
import { neighboursOf, readInvoice } from './store.ts'

/** Checks one place of the chain; verify-invoices checks a year. */
export const verifyInvoice = operation(
  'verify-invoice',
  { request: { params: IdParam }, responses: { 200: Verification }, problems: ['not-found'] },
  async ({ params, user, json }, { db }) => {
    const row = await readInvoice(db, params.id, user)
    const { before, after } = await neighboursOf(db, row)
    const faults = [...faultsOf(row, before), ...(after === undefined ? [] : faultsOf(after, row))]
    const { number, hash } = row
    return json({ number, hash, isIntact: faults.length === 0, faults }, 200)
  },
)
