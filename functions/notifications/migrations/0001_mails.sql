CREATE TABLE "notifications"."mails" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid,
	"status" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"lease" timestamp with time zone,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "notifications"."contacts" ADD COLUMN "language_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "notifications"."contacts" ADD COLUMN "unsubscribed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "notifications"."notifications" ADD COLUMN "mail_to" text;--> statement-breakpoint
CREATE INDEX "mails_of_user" ON "notifications"."mails" USING btree ("user_id");