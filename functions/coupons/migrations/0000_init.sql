CREATE SCHEMA "coupons";
--> statement-breakpoint
CREATE TABLE "coupons"."coupons" (
	"id" uuid PRIMARY KEY NOT NULL,
	"code" text NOT NULL,
	"percent" integer,
	"amount" integer,
	"currency" text,
	"minimum" integer,
	"valid_from" timestamp with time zone NOT NULL,
	"valid_until" timestamp with time zone,
	"skus" jsonb NOT NULL,
	"categories" jsonb NOT NULL,
	"max_per_user" integer,
	"max_in_all" integer,
	"redeemed" integer DEFAULT 0 NOT NULL,
	"ended_at" timestamp with time zone,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "coupon_code" UNIQUE("code"),
	CONSTRAINT "percent_or_amount" CHECK (("coupons"."coupons"."percent" is null) <> ("coupons"."coupons"."amount" is null)),
	CONSTRAINT "redeemed_not_negative" CHECK ("coupons"."coupons"."redeemed" >= 0)
);
--> statement-breakpoint
CREATE TABLE "coupons"."ended_sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "coupons"."idempotency_keys" (
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
CREATE TABLE "coupons"."products" (
	"sku" text PRIMARY KEY NOT NULL,
	"category" text,
	"version" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "coupons"."redemptions" (
	"order_id" uuid NOT NULL,
	"coupon_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"request" text,
	"state" text NOT NULL,
	"held_until" timestamp with time zone NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "redemptions_order_id_coupon_id_pk" PRIMARY KEY("order_id","coupon_id")
);
--> statement-breakpoint
CREATE TABLE "coupons"."request_counts" (
	"key" text PRIMARY KEY NOT NULL,
	"points" integer DEFAULT 0 NOT NULL,
	"expire" bigint
);
--> statement-breakpoint
CREATE INDEX "ended_sessions_at_index" ON "coupons"."ended_sessions" USING btree ("at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_at_index" ON "coupons"."idempotency_keys" USING btree ("at");--> statement-breakpoint
CREATE INDEX "redemptions_coupon_id_user_id_index" ON "coupons"."redemptions" USING btree ("coupon_id","user_id");--> statement-breakpoint
CREATE INDEX "redemptions_requested" ON "coupons"."redemptions" USING btree ("user_id","request") WHERE "coupons"."redemptions"."request" is not null;--> statement-breakpoint
CREATE INDEX "request_counts_expire_index" ON "coupons"."request_counts" USING btree ("expire");