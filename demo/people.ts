/** The password of the demo people: for a laptop only, where nobody else can reach the shop. */
export const demoPassword = 'workshop-demo'
