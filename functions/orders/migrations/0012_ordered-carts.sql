CREATE TABLE "orders"."ordered_carts" (
	"cart_id" uuid NOT NULL,
	"order_id" uuid NOT NULL,
	CONSTRAINT "ordered_carts_pkey" PRIMARY KEY("cart_id")
);
