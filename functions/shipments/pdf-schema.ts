import * as z from 'zod'

/** A response that is a PDF file, in the OpenAPI document. */
export const Pdf = z.string().meta({ contentMediaType: 'application/pdf', contentEncoding: 'binary' })
