import { Hono } from 'hono'
import { expect, it } from 'vitest'
import { acceptedType } from './accepted-type.ts'

const app = new Hono().get('/', (c) =>
  c.text(acceptedType(c, ['application/json', 'text/html', 'application/pdf'])),
)

it.each([
  [undefined, 'application/json'],
  ['*/*', 'application/json'],
  ['text/csv', 'application/json'],
  ['application/pdf', 'application/pdf'],
  ['APPLICATION/PDF', 'application/pdf'],
  ['text/*', 'text/html'],
  ['text/html,application/xhtml+xml,*/*;q=0.8', 'text/html'],
  ['application/pdf;q=0.5, text/html;q=0.9', 'text/html'],
  ['application/json;q=0, */*', 'text/html'],
  ['application/pdf;q=0.1, */*', 'application/json'],
  ['application/*', 'application/json'],
  ['nonsense', 'application/json'],
])('a client that accepts %s gets %s', async (accept, type) => {
  const response = await app.request('/', accept === undefined ? {} : { headers: { accept } })
  expect(await response.text()).toBe(type)
})
