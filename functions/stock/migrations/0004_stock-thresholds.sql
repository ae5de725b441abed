ALTER TABLE "stock"."items" ADD COLUMN "threshold" integer;--> statement-breakpoint
ALTER TABLE "stock"."items" ADD COLUMN "availability" text DEFAULT 'unavailable' NOT NULL;