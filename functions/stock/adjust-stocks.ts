import { answerLines, lineAnswers } from '../shared/http/lines/answer-lines.ts'
import { csv } from '../shared/http/lines/csv.ts'
import { ndjson } from '../shared/http/lines/format.ts'
import { operation } from '../shared/http/operation.ts'
import { adjustLines, doneMembers } from './adjust-lines.ts'
import { StockLine } from './stock.ts'

const formats = [ndjson, csv(['quantity'])]

export const adjustStocks = operation(
  'adjust-stocks',
  {
    request: { lines: StockLine },
    formats,
    responses: { 200: lineAnswers(doneMembers, 'StockAdjustmentResult') },
    contentType: 'application/x-ndjson',
  },
  async (call, deps) =>
    answerLines(call, deps, {
      formats,
      schema: StockLine,
      atOnce: 100,
      write: (lines) => adjustLines(lines, call, deps),
    }),
)
