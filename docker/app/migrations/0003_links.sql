-- Up Migration

CREATE TABLE tool_links (
  tool_id integer NOT NULL REFERENCES tools (id) ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('docs', 'github', 'youtube', 'discord', 'linkedin')),
  url text NOT NULL CHECK (url ~ '^https?://'),
  PRIMARY KEY (tool_id, kind)
);

CREATE VIEW category_counts AS
  SELECT c.id, c.slug, c.name_en, c.name_fr, c.symbol, c.position, coalesce(t.tools, 0) AS tools
  FROM categories c
  LEFT JOIN (SELECT category_id, count(*)::integer AS tools FROM tools GROUP BY category_id) t
    ON t.category_id = c.id;

-- Down Migration

DROP VIEW category_counts;
DROP TABLE tool_links;
