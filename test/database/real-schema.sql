CREATE EXTENSION citext;
CREATE SCHEMA "Odd ""Schema""";
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE categories (id serial PRIMARY KEY, name citext UNIQUE NOT NULL);
CREATE TABLE tools (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  category integer NOT NULL REFERENCES categories,
  name text NOT NULL,
  description text,
  price numeric(10,2) NOT NULL DEFAULT 0,
  gross numeric GENERATED ALWAYS AS (price * 1.2) STORED,
  tags text[] NOT NULL DEFAULT '{}',
  logo bytea,
  meta jsonb,
  feeling mood,
  changed timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE "Odd ""Schema"""."Täble; with 'quotes'" ("a b" text, "c;d" integer);
CREATE TABLE events (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE empty_table (nothing integer);
CREATE TABLE parent (x integer);
CREATE TABLE child (y integer) INHERITS (parent);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  -- a comment; with a semicolon and a 'quote
  NEW.changed := now(); NEW.name := NEW.name || '!';
  RETURN NEW;
END;
$body$;
CREATE FUNCTION add(a integer, b integer) RETURNS integer LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT CASE WHEN a > 0 THEN a ELSE 0 END + b; END;
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON tools FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW cheap AS SELECT * FROM tools WHERE price < 10;
CREATE MATERIALIZED VIEW counted AS SELECT category, count(*) FROM tools GROUP BY 1;
CREATE RULE nothing AS ON DELETE TO empty_table DO INSTEAD NOTHING;
ALTER TABLE tools ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_of_it ON tools USING (true);
COMMENT ON TABLE tools IS E'A "comment" with \\. and ; in it';
INSERT INTO categories (name) SELECT 'Category ' || i FROM generate_series(1, 20) i;
INSERT INTO tools (category, name, description, price, tags, logo, meta, feeling)
SELECT 1 + i % 20, 'Tool ' || i, E'line one\nline two\ttab \\. backslash ' || repeat('x', i % 300), i % 90, ARRAY['a', 'b;c', NULL],
       decode(md5(i::text), 'hex'), jsonb_build_object('n', i, 'text', E'\\"'), (ARRAY['sad', 'ok', 'happy'])[1 + i % 3]::mood
FROM generate_series(1, 3000) i;
INSERT INTO "Odd ""Schema"""."Täble; with 'quotes'" VALUES ('ü', 1), (E'\\.', 2), (NULL, 3);
INSERT INTO events SELECT '2025-06-01'::date + i * 10, 'event ' || i FROM generate_series(1, 100) i;
INSERT INTO parent SELECT generate_series(1, 5);
INSERT INTO child SELECT i, i FROM generate_series(1, 7) i;
REFRESH MATERIALIZED VIEW counted;
SELECT lo_from_bytea(0, 'large object');
CREATE ROLE reader_of_dumps;
GRANT SELECT ON tools TO reader_of_dumps;
