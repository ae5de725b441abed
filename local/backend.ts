import type { Handler } from './front.ts'

/** What runs the functions: a process each, or all of them in this one. */
export interface Backend {
  /** For clients: by method and path. */
  handle: Handler
  /** For the dispatcher and between functions: `/<function>/…`. */
  handleInternal: Handler
  /** The answer of `GET /_scale`. */
  scale(): unknown
  /** Processes that run all the time. */
  processes(): { name: string; pid: number | undefined }[]
  close(): Promise<void>
}
