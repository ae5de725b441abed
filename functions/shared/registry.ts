/**
 * The types of all domains' functions and events. functions/table.ts fills it in by declaration merging, so that this
 * folder knows them and yet imports no domain.
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- it is merged with
export interface Registry {}
