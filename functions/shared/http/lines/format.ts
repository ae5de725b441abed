import { parseJson } from '../validate.ts'

/** A format in which lines can be sent. */
export interface LineFormat {
  /** Its media type. */
  type: string
  /** Returns a reader for one body. */
  open: () => ReadLine
}

/**
 * Returns the value of a line; undefined if it has none, such as the header of a table.
 * @throws Problem 400 if the line cannot be read; a problem whose name is not `invalid-request` stops the reading
 */
export type ReadLine = (text: string) => unknown

/** JSON values, one a line (https://github.com/ndjson/ndjson-spec). */
export const ndjson: LineFormat = {
  type: 'application/x-ndjson',
  open: () => (text) => parseJson(text, 'line'),
}
