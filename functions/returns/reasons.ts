/** Why pieces are sent back, and why they are not taken. Codes, because events must not contain what people write. */

export const reasons = ['unwanted', 'damaged', 'faulty', 'not-as-described', 'wrong-item', 'late'] as const
export type ReturnReason = (typeof reasons)[number]

export const refusals = ['used', 'excluded', 'missing', 'other'] as const
export type Refusal = (typeof refusals)[number]
