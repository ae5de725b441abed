/** One line of the table. */
export interface Result {
  what: string
  ours: string
  against: string
  ratio: string
  /** What is aimed at, and whether it was met. */
  goal: string
  met: boolean
}
