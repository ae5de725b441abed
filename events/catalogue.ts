/**
 * All event types, from the domains' events.ts. The JSON Schemas and the AsyncAPI document are made from it.
 */
export { events as catalogue } from '../functions/table.ts'
export type { EventData, EventType, ShopEvent } from './event.ts'
