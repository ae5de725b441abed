import { html } from 'hono/html'
import { factsOf } from './facts.ts'
import type { InvoiceRow } from './invoice.ts'

/** Returns an invoice as a page, which can be printed. Text is escaped. */
export function invoiceHtml(row: InvoiceRow) {
  const { title, seller, buyer, facts, rows, taxes, net, total, note } = factsOf(row)
  const lines = (texts: readonly string[]) => texts.map((text) => html`<div>${text}</div>`)
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        <style>
          body {
            font:
              1rem/1.5 system-ui,
              sans-serif;
            max-width: 50rem;
            margin: 2rem auto;
            padding: 0 1rem;
          }
          header,
          dl {
            display: grid;
            grid-template-columns: 1fr 1fr;
            gap: 0 2rem;
          }
          dd {
            margin: 0;
          }
          table {
            border-collapse: collapse;
            width: 100%;
          }
          th,
          td {
            border-bottom: 1px solid #767676;
            padding: 0.25rem;
            text-align: right;
            vertical-align: top;
          }
          th:first-child,
          td:first-child {
            text-align: left;
          }
        </style>
      </head>
      <body>
        <main>
          <header>
            <address>${lines(seller)}</address>
            <address>${lines(buyer)}</address>
          </header>
          <h1>${title}</h1>
          <dl>
            ${facts.map(
              ([name, value]) =>
                html`<dt>${name}</dt>
                  <dd>${value}</dd>`,
            )}
          </dl>
          <table>
            <thead>
              <tr>
                <th scope="col">Description</th>
                <th scope="col">Quantity</th>
                <th scope="col">Price</th>
                <th scope="col">Discount</th>
                <th scope="col">Tax</th>
                <th scope="col">Net</th>
                <th scope="col">Gross</th>
              </tr>
            </thead>
            <tbody>
              ${rows.map(
                (one) =>
                  html`<tr>
                    <td>${one.name}</td>
                    <td>${one.quantity}</td>
                    <td>${one.unitPrice}</td>
                    <td>${one.discount}</td>
                    <td>${one.rate}</td>
                    <td>${one.net}</td>
                    <td>${one.gross}</td>
                  </tr>`,
              )}
            </tbody>
            <tfoot>
              <tr>
                <td colspan="6">Net</td>
                <td>${net}</td>
              </tr>
              ${taxes.map(
                ([name, amount]) =>
                  html`<tr>
                    <td colspan="6">${name}</td>
                    <td>${amount}</td>
                  </tr>`,
              )}
              <tr>
                <th scope="row" colspan="6">${total[0]}</th>
                <th>${total[1]}</th>
              </tr>
            </tfoot>
          </table>
          <p>${note}</p>
        </main>
      </body>
    </html>`
}
