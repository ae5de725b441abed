ALTER TABLE "orders"."orders" ADD COLUMN "on_shortage" text DEFAULT 'cancel' NOT NULL;--> statement-breakpoint
ALTER TABLE "orders"."orders" ADD COLUMN "shortage" jsonb;