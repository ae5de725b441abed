-- Tells of the users who are there already, as register-user tells of a new one. A contact's id sorts before those of
-- later ones, as the user's own does.
WITH "contact" AS MATERIALIZED (
  SELECT "id", "email", "name" FROM "users"."users" WHERE "deleted_at" IS NULL
), "left" AS (
  INSERT INTO "events"."secrets" ("subject", "recipient", "secret")
  SELECT "id", 'notifications', json_build_object('email', "email", 'name', "name") FROM "contact"
)
INSERT INTO "events"."outbox" ("id", "type", "source", "subject", "data", "actor")
SELECT gen_random_uuid(), 'user.contact-changed', '/users', "id",
  jsonb_build_object('userId', "id", 'contactId', "id"), 'system'
FROM "contact";
