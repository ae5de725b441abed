CREATE TABLE "orders"."shipping_methods" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"basis" text NOT NULL,
	"currency" text,
	"steps" jsonb NOT NULL,
	"is_default" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "orders"."tax_rates" (
	"country" text NOT NULL,
	"tax_class" text NOT NULL,
	"valid_from" date NOT NULL,
	"rate" integer NOT NULL,
	"added_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tax_rates_country_tax_class_valid_from_pk" PRIMARY KEY("country","tax_class","valid_from"),
	CONSTRAINT "rate_from_0_to_100_percent" CHECK ("orders"."tax_rates"."rate" between 0 and 10000)
);
--> statement-breakpoint
ALTER TABLE "orders"."orders" ADD COLUMN "amounts" jsonb;--> statement-breakpoint
ALTER TABLE "orders"."products" ADD COLUMN "weight_grams" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "orders"."products" ADD COLUMN "tax_class" text DEFAULT 'standard' NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "one_default_shipping_method" ON "orders"."shipping_methods" USING btree ("is_default") WHERE "orders"."shipping_methods"."is_default";
--> statement-breakpoint
-- Rates of value added tax, in hundredths of a percent. An admin adds others with POST /api/v1/tax-rates.
INSERT INTO "orders"."tax_rates" ("country", "tax_class", "valid_from", "rate") VALUES
	('AT', 'standard', '1984-01-01', 2000), ('AT', 'reduced', '1984-01-01', 1000),
	('BE', 'standard', '1996-01-01', 2100), ('BE', 'reduced', '1996-01-01', 600),
	('DE', 'standard', '2007-01-01', 1900), ('DE', 'reduced', '2007-01-01', 700),
	('DE', 'standard', '2020-07-01', 1600), ('DE', 'reduced', '2020-07-01', 500),
	('DE', 'standard', '2021-01-01', 1900), ('DE', 'reduced', '2021-01-01', 700),
	('DK', 'standard', '1992-01-01', 2500),
	('EE', 'standard', '2024-01-01', 2200), ('EE', 'reduced', '2024-01-01', 900),
	('EE', 'standard', '2025-07-01', 2400),
	('ES', 'standard', '2012-09-01', 2100), ('ES', 'reduced', '2012-09-01', 1000),
	('FI', 'standard', '2013-01-01', 2400), ('FI', 'reduced', '2013-01-01', 1400),
	('FI', 'standard', '2024-09-01', 2550), ('FI', 'reduced', '2026-01-01', 1350),
	('FR', 'standard', '2014-01-01', 2000), ('FR', 'reduced', '2014-01-01', 550),
	('IT', 'standard', '2013-10-01', 2200), ('IT', 'reduced', '2013-10-01', 1000),
	('NL', 'standard', '2012-10-01', 2100), ('NL', 'reduced', '2019-01-01', 900),
	('PL', 'standard', '2011-01-01', 2300), ('PL', 'reduced', '2011-01-01', 800);
--> statement-breakpoint
-- The default is free, so that orders which do not say how they are shipped cost what they did before.
INSERT INTO "orders"."shipping_methods" ("id", "name", "basis", "currency", "steps", "is_default") VALUES
	('standard', 'Standard', 'total', NULL, '[{"upTo": null, "amount": 0}]', true),
	('parcel', 'Parcel with tracking', 'weight', 'EUR', '[{"upTo": 2000, "amount": 490}, {"upTo": 5000, "amount": 690}, {"upTo": 10000, "amount": 990}, {"upTo": 31500, "amount": 1790}]', false),
	('express', 'Express', 'total', 'EUR', '[{"upTo": 4999, "amount": 1290}, {"upTo": 9999, "amount": 890}, {"upTo": null, "amount": 490}]', false);
