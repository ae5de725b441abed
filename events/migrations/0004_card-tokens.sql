CREATE TABLE "events"."secrets" (
	"subject" text NOT NULL,
	"recipient" text NOT NULL,
	"secret" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "secrets_subject_recipient_pk" PRIMARY KEY("subject","recipient")
);
--> statement-breakpoint
ALTER TABLE "events"."secrets" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE INDEX "secrets_at" ON "events"."secrets" USING btree ("at");--> statement-breakpoint
CREATE POLICY "secrets_left" ON "events"."secrets" AS PERMISSIVE FOR INSERT TO public WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "secrets_read" ON "events"."secrets" AS PERMISSIVE FOR SELECT TO public USING ("events"."secrets"."recipient" = current_user or current_user = 'events');--> statement-breakpoint
CREATE POLICY "secrets_deleted" ON "events"."secrets" AS PERMISSIVE FOR DELETE TO public USING ("events"."secrets"."recipient" = current_user or current_user = 'events');--> statement-breakpoint
-- events that have taken effect no longer need their card tokens
UPDATE "events"."outbox" SET "data" = "data" - 'cardToken' WHERE "settled_at" IS NOT NULL AND "data" ? 'cardToken';--> statement-breakpoint
UPDATE "events"."failures" SET "event" = "event" #- '{data,cardToken}' WHERE "dropped_at" IS NOT NULL AND "event" #> '{data,cardToken}' IS NOT NULL;
