import { answerLines, lineAnswers } from '../shared/http/lines/answer-lines.ts'
import { ndjson } from '../shared/http/lines/format.ts'
import { operation } from '../shared/http/operation.ts'
import { doneMembers, importLines } from './import-lines.ts'
import { NewProduct } from './product.ts'

const formats = [ndjson]

export const importProducts = operation(
  'import-products',
  {
    request: { lines: NewProduct },
    formats,
    responses: { 200: lineAnswers(doneMembers, 'ProductImportResult') },
    contentType: 'application/x-ndjson',
  },
  async (call, deps) => {
    const { user, traceparent, actor } = call
    const { products, categories } = deps
    const importer = { products, categories, user, cause: { traceparent, actor } }
    return answerLines(call, deps, {
      formats,
      schema: NewProduct,
      atOnce: 100,
      write: (lines) => importLines(lines, importer),
    })
  },
)
