-- Up Migration

-- What a visit to a tool's website found. The texts of people stay in tools; these stand where those are missing.
CREATE TABLE tool_sites (
  tool_id integer PRIMARY KEY REFERENCES tools (id) ON DELETE CASCADE,
  url text NOT NULL,
  title text,
  description text,
  language text,
  written_en text,
  written_fr text,
  visited_at timestamptz,
  tried_at timestamptz NOT NULL,
  failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
  failure text
);

COMMENT ON COLUMN tool_sites.url IS 'Where the visit ended, after redirects; the address itself while none succeeded';
COMMENT ON COLUMN tool_sites.written_en IS 'A description that a language model wrote from the page; NULL when none was asked';
COMMENT ON COLUMN tool_sites.visited_at IS 'The last visit that succeeded; NULL until one does';
COMMENT ON COLUMN tool_sites.failures IS 'Visits that failed since then';

CREATE INDEX tool_sites_by_age ON tool_sites (tried_at);

-- Down Migration

DROP TABLE tool_sites;
