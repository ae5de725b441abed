import type { TextsOf } from './texts.ts'

export const es: TextsOf = {
  'order-confirmed': {
    title: 'Tu pedido está confirmado',
    text: 'Tenemos todo lo que has pedido y tu pago está autorizado. Te avisaremos cuando el pedido {orderId} salga de nuestro almacén.',
  },
  'order-shipped': {
    title: 'Tu pedido está en camino',
    text: 'El pedido {orderId} ha salido de nuestro almacén.',
  },
  'order-completed': {
    title: 'Tu pedido está completado',
    text: 'El pedido {orderId} está enviado y pagado. Gracias por comprar con nosotros.',
  },
  'order-cancelled': {
    title: 'Tu pedido se ha cancelado',
    text: `{reason, select,
      onRequest {El pedido {orderId} se ha cancelado a petición del cliente o de la tienda.}
      outOfStock {Lo sentimos: no teníamos suficientes existencias de lo que pediste y hemos cancelado el pedido {orderId}.}
      notConfirmedInTime {Lo sentimos: no pudimos confirmar a tiempo el pedido {orderId} y lo hemos cancelado.}
      notShippedInTime {Lo sentimos: no pudimos enviar a tiempo el pedido {orderId} y lo hemos cancelado.}
      accountDeleted {El pedido {orderId} se ha cancelado porque se eliminó su cuenta.}
      other {Hemos cancelado el pedido {orderId} porque no se pudo pagar. El proveedor de pagos indica: {detail}.}
    } No pagas nada por él; te devolvemos lo que estuviera autorizado o pagado.`,
  },
  'payment-declined': {
    title: 'Tu pago ha sido rechazado',
    text: 'El pago del pedido {orderId} ha sido rechazado. El proveedor de pagos indica: {detail}. Puedes volver a pedir con otra tarjeta.',
  },
  'payment-refunded': {
    title: 'Te devolvemos {amount}',
    text: 'Hemos reembolsado {amount} por el pedido {orderId}. Tu banco puede tardar unos días en mostrarlo.',
  },
}
