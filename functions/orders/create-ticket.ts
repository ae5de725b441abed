import * as z from 'zod'
import { operation } from '../shared/http/operation.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { readOrder } from './store.ts'
import { ticketSeconds } from './tickets.ts'

const Ticket = z
  .object({
    ticket: z.string().meta({ description: 'To be sent as ?ticket=, to this order’s stream only.' }),
    expiresIn: z.int().meta({ description: 'Seconds until it must have been used.' }),
  })
  .meta({ id: 'Ticket' })

export const createTicket = operation(
  'create-ticket',
  {
    request: { params: IdParam },
    responses: { 201: Ticket },
    problems: ['not-found'],
    headers: ['Location'],
  },
  async ({ params: { id }, user, json }, { db, tickets }) => {
    await readOrder(db, id, user)
    const ticket = await tickets.issue(user, id)
    // without the ticket: gateways log the headers of answers
    return json({ ticket, expiresIn: ticketSeconds }, 201, { location: `/api/v1/orders/${id}/events` })
  },
)
