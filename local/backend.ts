import type { ScaleReport } from './activator/activator.ts'
import type { Degraded } from '../functions/shared/process/service.ts'
import type { Handler } from './front.ts'

/** Runs the functions, each in its own process or all in this one. */
export interface Backend {
  /** Handles requests of clients, which are routed by method and path. */
  handle: Handler
  /** Handles internal requests: `/<function>/…`. */
  handleInternal: Handler
  /** Returns the answer to `GET /_scale`. */
  scale(): Pick<ScaleReport, 'functions'>
  /** Returns the stores that the relay finds degraded; undefined if the relay does not respond. */
  degraded(): Promise<Degraded[] | undefined>
  /** Returns the processes that always run. */
  processes(): { name: string; pid: number | undefined }[]
  close(): Promise<void>
}
