/**
 * Returns a script for a container's Node that prints, as JSON, the hosts to which it can open a connection.
 * @param targets hosts and their ports
 */
export const reachScript = (targets: readonly (readonly [host: string, port: number])[]) => `
  const { connect } = require('node:net')
  const reaches = ([host, port]) => new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 })
    const done = (is) => () => (socket.destroy(), resolve(is))
    socket.on('connect', done(true)).on('error', done(false)).on('timeout', done(false))
  })
  Promise.all(${JSON.stringify(targets)}.map(async (target) => (await reaches(target)) && target[0]))
    .then((found) => console.log(JSON.stringify(found.filter(Boolean))))`
