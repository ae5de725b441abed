CREATE TABLE "orders"."deleted_customers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "orders"."orders" ALTER COLUMN "delivery_address" DROP NOT NULL;