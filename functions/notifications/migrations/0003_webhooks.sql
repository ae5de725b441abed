CREATE TABLE "notifications"."products" (
	"sku" text PRIMARY KEY NOT NULL,
	"seller_id" uuid,
	"version" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "notifications"."webhook_deliveries" (
	"id" uuid PRIMARY KEY NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"event_id" uuid NOT NULL,
	"type" text NOT NULL,
	"body" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"attempts_before" integer DEFAULT 0 NOT NULL,
	"answered" integer,
	"error" text,
	"next_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "webhook_deliveries_once" UNIQUE("endpoint_id","event_id")
);
--> statement-breakpoint
CREATE TABLE "notifications"."webhook_endpoints" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"url" text NOT NULL,
	"events" jsonb NOT NULL,
	"description" text,
	"generation" integer DEFAULT 1 NOT NULL,
	"old_generation" integer DEFAULT 1 NOT NULL,
	"old_until" timestamp with time zone,
	"failing_since" timestamp with time zone,
	"disabled_at" timestamp with time zone,
	"disabled_because" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "notifications"."orders" ADD COLUMN "seller_lines" jsonb;--> statement-breakpoint
ALTER TABLE "notifications"."orders" ADD COLUMN "early" jsonb;--> statement-breakpoint
CREATE INDEX "products_of_seller" ON "notifications"."products" USING btree ("seller_id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_of_endpoint" ON "notifications"."webhook_deliveries" USING btree ("endpoint_id","id");--> statement-breakpoint
CREATE INDEX "webhook_endpoints_of_user" ON "notifications"."webhook_endpoints" USING btree ("user_id","id");