import type { Alert } from '../alert.ts'
import { increase, orZero, shop, sum } from '../prometheus.ts'

/** What must never be, which `npm run check-books` looks for. */
export const books: Alert[] = [
  {
    name: 'BooksAreWrong',
    severity: 'page',
    expr: `${sum(increase(shop('zeroshop.books.violations'), '20m'), 'check')} > 0`,
    for: '0m',
    summary: 'The check {{ $labels.check }} of the books has found what must never be',
  },
  {
    name: 'BooksAreUnchecked',
    severity: 'ticket',
    expr: `${orZero(sum(increase(shop('zeroshop.books.checks'), '1h')))} == 0`,
    for: '10m',
    summary: 'Nobody has checked the books for an hour',
  },
]
