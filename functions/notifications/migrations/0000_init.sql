CREATE SCHEMA "notifications";
--> statement-breakpoint
CREATE TABLE "notifications"."contacts" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"email" text,
	"name" text,
	"language" text DEFAULT 'en' NOT NULL,
	"contact_id" uuid,
	"notified" integer DEFAULT 0 NOT NULL,
	"deleted_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "notifications"."ended_sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "notifications"."idempotency_keys" (
	"caller" text NOT NULL,
	"key" text NOT NULL,
	"hash" text NOT NULL,
	"status" integer,
	"headers" jsonb,
	"body" text,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY("caller","key")
);
--> statement-breakpoint
CREATE TABLE "notifications"."notifications" (
	"id" uuid PRIMARY KEY NOT NULL,
	"event_id" uuid NOT NULL,
	"user_id" uuid,
	"seq" integer,
	"kind" text NOT NULL,
	"order_id" uuid,
	"facts" jsonb NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"read_at" timestamp with time zone,
	CONSTRAINT "notifications_once" UNIQUE NULLS NOT DISTINCT("event_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "notifications"."orders" (
	"id" uuid PRIMARY KEY NOT NULL,
	"customer_id" uuid
);
--> statement-breakpoint
CREATE TABLE "notifications"."request_counts" (
	"key" text PRIMARY KEY NOT NULL,
	"points" integer DEFAULT 0 NOT NULL,
	"expire" bigint
);
--> statement-breakpoint
CREATE INDEX "ended_sessions_at_index" ON "notifications"."ended_sessions" USING btree ("at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_at_index" ON "notifications"."idempotency_keys" USING btree ("at");--> statement-breakpoint
CREATE INDEX "notifications_of_user" ON "notifications"."notifications" USING btree ("user_id","seq");--> statement-breakpoint
CREATE INDEX "notifications_unread" ON "notifications"."notifications" USING btree ("user_id","seq") WHERE "notifications"."notifications"."read_at" is null;--> statement-breakpoint
CREATE INDEX "notifications_of_nobody" ON "notifications"."notifications" USING btree ("order_id") WHERE "notifications"."notifications"."user_id" is null;--> statement-breakpoint
CREATE INDEX "request_counts_expire_index" ON "notifications"."request_counts" USING btree ("expire");