/** A row of the table. */
export interface Result {
  what: string
  ours: string
  against: string
  ratio: string
  /** The goal, and whether it was met. */
  goal: string
  met: boolean
}
