/** How many samples a graph has: a minute at two a second. */
export const samples = 120

export interface Course {
  instances: number[]
  concurrency: number[]
}

export const emptyCourse = (): Course => ({
  instances: Array.from({ length: samples }, () => 0),
  concurrency: Array.from({ length: samples }, () => 0),
})

export function push(course: Course, instances: number, concurrency: number): void {
  course.instances.push(instances)
  course.concurrency.push(concurrency)
  course.instances.shift()
  course.concurrency.shift()
}

export const isAtZero = ({ instances }: Course): boolean => instances.every((value) => value === 0)

/**
 * Returns the path of a graph of steps.
 * @param top the value at the upper edge
 */
export function steps(values: readonly number[], top: number, width: number, height: number): string {
  const step = width / (values.length - 1)
  const y = (value: number) => (height - (Math.min(value, top) / top) * height).toFixed(1)
  let path = `M0 ${y(values[0] ?? 0)}`
  values.forEach((value, n) => {
    if (n > 0 && value !== values[n - 1]) path += `H${(n * step).toFixed(1)}V${y(value)}`
  })
  return `${path}H${width}`
}
