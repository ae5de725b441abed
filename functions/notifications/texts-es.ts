import type { TextsOf } from './texts.ts'

export const es: TextsOf = {
  'order-undecided': {
    title: 'Falta una parte de tu pedido',
    text: 'Lo sentimos: del pedido {orderId} no tenemos {pieces}. Dinos antes de un día si te enviamos el resto, si guardamos tu pedido hasta que esté todo o si lo cancelamos. Hasta entonces te reservamos lo que hay y no pagas nada. Si en un día no recibimos respuesta, cancelaremos el pedido.',
  },
  'order-reduced': {
    title: 'Tu pedido llega sin una parte',
    text: 'Hemos quitado {pieces} del pedido {orderId}, porque no lo tenemos. El pedido cuesta ahora {amount} y no se te cobrará más.',
  },
  'order-confirmed': {
    title: 'Tu pedido está confirmado',
    text: 'Tenemos todo lo que has pedido y tu pago está autorizado. Te avisaremos cuando el pedido {orderId} salga de nuestro almacén.',
  },
  'order-shipped': {
    title: 'Tu pedido está en camino',
    text: 'El pedido {orderId} ha salido de nuestro almacén.',
  },
  'parcel-shipped': {
    title: 'Un paquete está en camino',
    text: 'Un paquete del pedido {orderId} ha salido de nuestro almacén con {carrier}. Su número de seguimiento es {number}.',
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
      notDecidedInTime {Faltaba una parte del pedido {orderId} y en un día no se decidió nada, así que lo hemos cancelado.}
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
  'return-approved': {
    title: 'Puedes enviar la devolución',
    text: 'Hemos aprobado tu devolución del pedido {orderId}. Embala bien los artículos y envíanoslos. Te reembolsaremos lo que costaron en cuanto lleguen.',
  },
  'return-refused': {
    title: 'No podemos aceptar tu devolución',
    text: `{refusal, select,
      used {Lo sentimos: no podemos aceptar lo que quieres devolver del pedido {orderId} porque se ha usado.}
      excluded {Lo sentimos: lo que quieres devolver del pedido {orderId} no admite devolución.}
      missing {No ha llegado nada de lo que querías devolver del pedido {orderId} y hemos cerrado la devolución.}
      other {Lo sentimos: no podemos aceptar lo que quieres devolver del pedido {orderId}.}
    } Si no estás de acuerdo, escríbenos.`,
  },
  'return-received': {
    title: 'Tu devolución ha llegado',
    text: 'Hemos recibido lo que has devuelto del pedido {orderId} y te reembolsamos {amount}. Tu banco puede tardar unos días en mostrarlo.',
  },
  'invoice-issued': {
    title: 'Tu factura {number}',
    text: 'La factura {number} de {amount} por el pedido {orderId} está en tu cuenta, donde puedes leerla e imprimirla.',
  },
  'email-changed': {
    title: 'Se ha cambiado tu dirección de correo',
    text: 'Tu cuenta tiene ahora otra dirección de correo y desde ahora te escribiremos a esa. Si no has sido tú, otra persona puede usar tu cuenta: cambia tu contraseña y avísanos.',
  },
  'webhook-disabled': {
    title: 'Se ha desactivado un destino de webhooks',
    text: 'Durante días no pudimos entregar webhooks a {url}, o respondió que no quiere más, así que lo hemos desactivado. Cuando vuelva a funcionar, actívalo en tu cuenta; lo que no ha recibido se puede enviar de nuevo desde su lista de entregas.',
  },
  mail: {
    greeting: 'Hola, {name}:',
    why: '{why, select, account {Recibes este correo porque tienes una cuenta en {shop}.} security {Enviamos este correo a todas las personas con una cuenta en {shop}, porque trata de la seguridad de la cuenta.} other {Recibes este correo porque alguien lo ha pedido en {shop}. Si no has sido tú, no tienes que hacer nada.}}',
    greetingAnyone: 'Hola:',
    unsubscribe: 'Darse de baja',
  },
  page: {
    title: 'Correos de la tienda',
    question:
      '¿No quieres recibir más correos sobre tus pedidos? Te escribiremos solo si se trata de la seguridad de tu cuenta.',
    button: 'No quiero más correos',
    done: 'Ya no recibirás correos sobre tus pedidos. Puedes cambiarlo en tu cuenta cuando quieras.',
  },
  links: {
    'customer.claim-requested': {
      title: 'Tus pedidos en nuestra tienda',
      text: 'Guardamos pedidos y direcciones tuyos que aún no pertenecen a ninguna cuenta. Para añadirlos a la tuya, inicia sesión y abre este enlace antes de siete días:\n\n{link}',
    },
    'user.verification-requested': {
      title: 'Confirma tu dirección de correo',
      text: 'Para confirmar que esta es tu dirección de correo, abre este enlace antes de un día:\n\n{link}',
    },
    'user.password-reset-requested': {
      title: 'Elige una contraseña nueva',
      text: 'Alguien ha pedido una contraseña nueva para tu cuenta. Para elegirla, abre este enlace antes de una hora:\n\n{link}\n\nSi no has sido tú, tu contraseña sigue siendo la misma.',
    },
  },
}
