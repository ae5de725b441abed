-- breaking: older code cannot read events without card tokens
INSERT INTO "events"."secrets" ("subject", "recipient", "secret")
SELECT "order_id"::text, 'payments', "card_token" FROM "payments"."payments" WHERE "card_token" IS NOT NULL
ON CONFLICT DO NOTHING;--> statement-breakpoint
ALTER TABLE "payments"."payments" DROP COLUMN "card_token";
