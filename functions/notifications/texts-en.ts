import type { TextsOf } from './texts.ts'

export const en: TextsOf = {
  'order-undecided': {
    title: 'A part of your order is missing',
    text: 'We are sorry: of order {orderId} we do not have {pieces}. Please tell us within a day whether we shall send you the rest, keep your order until everything is there, or cancel it. Until then we keep what is there for you, and you pay nothing. After a day without an answer, we cancel the order.',
  },
  'order-reduced': {
    title: 'Your order comes without a part of it',
    text: 'We have left {pieces} out of order {orderId}, which we do not have. The order costs {amount} now, and no more than that is charged.',
  },
  'order-confirmed': {
    title: 'Your order is confirmed',
    text: 'We have everything you ordered, and your payment is authorised. We will tell you when order {orderId} is on its way.',
  },
  'order-shipped': {
    title: 'Your order is on its way',
    text: 'Order {orderId} has left our warehouse.',
  },
  'parcel-shipped': {
    title: 'A parcel is on its way to you',
    text: 'A parcel of order {orderId} has left our warehouse with {carrier}. Its tracking number is {number}.',
  },
  'order-completed': {
    title: 'Your order is complete',
    text: 'Order {orderId} is shipped and paid. Thank you for shopping with us.',
  },
  'order-cancelled': {
    title: 'Your order was cancelled',
    text: `{reason, select,
      onRequest {Order {orderId} was cancelled on request.}
      outOfStock {We are sorry: we did not have enough of what you ordered, so we cancelled order {orderId}.}
      notDecidedInTime {A part of order {orderId} was missing, and nothing was decided within a day, so we cancelled it.}
      notConfirmedInTime {We are sorry: we could not confirm order {orderId} in time, so we cancelled it.}
      notShippedInTime {We are sorry: we could not ship order {orderId} in time, so we cancelled it.}
      accountDeleted {Order {orderId} was cancelled because its account was deleted.}
      other {We cancelled order {orderId} because it could not be paid. The payment provider says: {detail}.}
    } You pay nothing for it; what was authorised or paid goes back to you.`,
  },
  'payment-declined': {
    title: 'Your payment was declined',
    text: 'The payment of order {orderId} was declined. The payment provider says: {detail}. You can order again with another card.',
  },
  'payment-refunded': {
    title: 'You get {amount} back',
    text: 'We have refunded {amount} for order {orderId}. Until your bank shows it, a few days may pass.',
  },
  'return-approved': {
    title: 'You may send it back',
    text: 'We have approved your return for order {orderId}. Pack the pieces well and send them back. We refund what they cost as soon as they are here.',
  },
  'return-refused': {
    title: 'We cannot take it back',
    text: `{refusal, select,
      used {We are sorry: we cannot take back what you want to return of order {orderId}, because it was used.}
      excluded {We are sorry: what you want to return of order {orderId} cannot be returned.}
      missing {Nothing has arrived of what you wanted to return of order {orderId}, so we have closed the return.}
      other {We are sorry: we cannot take back what you want to return of order {orderId}.}
    } If you do not agree, write to us.`,
  },
  'return-received': {
    title: 'Your return has arrived',
    text: 'We have received what you returned of order {orderId}, and refund {amount}. Until your bank shows it, a few days may pass.',
  },
  'invoice-issued': {
    title: 'Your invoice {number}',
    text: 'Invoice {number} of {amount} for order {orderId} is in your account, where you can read and print it.',
  },
  'email-changed': {
    title: 'Your e-mail address was changed',
    text: 'Your account has another e-mail address now, and from now on we write to that one. If it was not you who changed it, somebody else can use your account: change your password, and tell us.',
  },
  'webhook-disabled': {
    title: 'A webhook endpoint was disabled',
    text: 'We could not deliver webhooks to {url} for days, or it answered that it wants no more, so we have disabled it. When it works again, enable it in your account; what it has missed can be sent again from its list of deliveries.',
  },
  mail: {
    greeting: 'Hello {name},',
    why: '{why, select, account {You get this mail because you have an account at {shop}.} security {We send this mail to everyone who has an account at {shop}, because it is about the security of the account.} other {You get this mail because somebody has asked for it at {shop}. If that was not you, you need not do anything.}}',
    greetingAnyone: 'Hello,',
    unsubscribe: 'Unsubscribe',
  },
  page: {
    title: 'Mails from the shop',
    question:
      'Do you want no more mails about your orders? We still write when it is about the security of your account.',
    button: 'Send me no more mails',
    done: 'You get no more mails about your orders. You can change that in your account at any time.',
  },
  links: {
    'customer.claim-requested': {
      title: 'Your orders at our shop',
      text: 'We keep orders and addresses for you that do not belong to an account yet. To add them to yours, log in and open this link within seven days:\n\n{link}',
    },
    'user.verification-requested': {
      title: 'Confirm your e-mail address',
      text: 'To confirm that this is your e-mail address, open this link within a day:\n\n{link}',
    },
    'user.password-reset-requested': {
      title: 'Set a new password',
      text: 'Somebody has asked for a new password for your account. To set one, open this link within an hour:\n\n{link}\n\nIf it was not you, your password stays as it is.',
    },
  },
}
