/**
 * The types of all domains' functions and events. functions/table.ts fills this in by declaration merging, so
 * that this folder can use them without importing a domain.
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- declaration merging needs it
export interface Registry {}
