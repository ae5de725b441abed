CREATE TABLE "payments"."captures" (
	"id" uuid PRIMARY KEY NOT NULL,
	"payment_id" uuid NOT NULL,
	"parcel_id" uuid,
	"amount" integer NOT NULL,
	"status" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "payments"."payments" ADD COLUMN "capturing" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "payments"."captures" ADD CONSTRAINT "captures_payment_id_payments_id_fk" FOREIGN KEY ("payment_id") REFERENCES "payments"."payments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "captures_of_parcel" ON "payments"."captures" USING btree ("payment_id","parcel_id");--> statement-breakpoint
CREATE UNIQUE INDEX "captures_pending" ON "payments"."captures" USING btree ("payment_id") WHERE "payments"."captures"."status" = 'pending';