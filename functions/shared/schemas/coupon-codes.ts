import * as z from 'zod'

/** Read in any case, stored and answered in upper case, like SKUs. */
export const CouponCode = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9-]{2,31}$/, '3 to 32 letters, digits and dashes, such as SPRING-10')
  .toUpperCase()
  .meta({ description: 'In any case; answered in upper case.', example: 'SPRING-10' })

/** The codes of the coupons of one order, in the order in which they are applied. */
export const CouponCodes = z
  .array(CouponCode)
  .min(1)
  .max(5)
  .refine((codes) => new Set(codes).size === codes.length, 'each coupon once')
  .meta({
    uniqueItems: true,
    description: 'They are applied one after the other, each to what the one before has left.',
  })
