/** Why a parcel did not reach its customer. None is a text, so that events can tell them. */
export const failureReasons = ['refused', 'not-collected', 'wrong-address', 'damaged', 'lost'] as const
