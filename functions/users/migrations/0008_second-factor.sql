CREATE TABLE "users"."recovery_codes" (
	"hash" text PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL
);
--> statement-breakpoint
ALTER TABLE "users"."users" ADD COLUMN "totp_secret" text;--> statement-breakpoint
ALTER TABLE "users"."users" ADD COLUMN "totp_period" bigint;--> statement-breakpoint
ALTER TABLE "users"."users" ADD COLUMN "second_factor_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "users"."recovery_codes" ADD CONSTRAINT "recovery_codes_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "users"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "recovery_codes_user_id_index" ON "users"."recovery_codes" USING btree ("user_id");