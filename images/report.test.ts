import { describe, expect, it } from 'vitest'
import { beyond, stepTimes } from './report.ts'

describe('the times of a build', () => {
  const output = `#3 [get-order internal] load build definition from Dockerfile
#3 DONE 0.5s
#4 [get-order build 4/9] RUN npm ci
#4 1.2 added 200 packages
#4 DONE 10.0s
#5 [get-order function-files 4/4] RUN node
#5 DONE 0.7s
#6 [cancel-order build 4/9] RUN npm ci
#6 DONE 10.0s
#7 [cancel-order function 1/1] COPY
#7 CACHED
#8 [cancel-order] exporting to image
#8 exporting layers done
#8 DONE 0.2s
#9 [get-order] exporting to image
#9 DONE 0.1s
`

  it('include only its own steps for each image', () => {
    const times = stepTimes(output)
    expect(times.get('get-order')).toBeCloseTo(0.8)
    expect(times.get('cancel-order')).toBeCloseTo(0.2)
  })

  it('count a step that images share once', () => {
    expect(stepTimes(output).get('')).toBeCloseTo(10)
  })
})

it('adds up the sizes of the topmost layers', () => {
  expect(beyond([5, 10, 1000], 2)).toBe(15)
  expect(beyond([5, 10, 1000], 0)).toBe(0)
})
