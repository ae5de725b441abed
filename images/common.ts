/**
 * What every function needs. A bundle has it in one file, because each file that is loaded costs a start a third
 * of a millisecond.
 */
import 'node:crypto'
import 'node:os'
import 'node:tls'
import './lazy-web.ts'
import '../functions/shared/http/operation.ts'
import '../functions/shared/http/product-reader.ts'
import '../functions/shared/process/config.ts'
import '../functions/shared/process/loggable.ts'
import '../functions/shared/process/run.ts'
import '../functions/shared/process/serve-operation.ts'
import '../functions/shared/schemas/event-shapes.ts'
import '../functions/shared/schemas/schemas.ts'
import '../functions/shared/store/request-counts.ts'
import '../functions/shared/store/schema-version.ts'
import '../functions/shared/store/wait-for-store.ts'
import 'pino'
