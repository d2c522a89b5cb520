-- Up Migration

-- Lower case, without accents, and with the punctuation of names ("node.js", "gpt-4") as spaces.
-- Plain translate() because the extension unaccent is not everywhere and may need a superuser; it is slow
-- for many letters, so text of ASCII alone takes the short way. The capitals are for the locale C, whose
-- lower() knows only ASCII.
CREATE FUNCTION fold_text(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
  WHEN octet_length(value) = char_length(value) THEN translate(lower(value), '-_./', '    ')
  ELSE translate(lower(value), 'éèêàçùûôîïëâäöüñáíóúÉÈÊÀÇÔÎ-_./’', 'eeeacuuoiieaaounaioueeeacoi     ')
END;

-- What a tool is found by. "simple" because one index serves two languages.
CREATE FUNCTION tool_document(name text, tags text[], summary_en text, summary_fr text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector(
  'simple'::regconfig,
  fold_text(name) || ' ' || fold_text(tags::text) || ' ' || fold_text(summary_en) || ' ' || coalesce(fold_text(summary_fr), '')
);

CREATE INDEX tools_document ON tools USING gin (tool_document(name, tags, summary_en, summary_fr));
CREATE INDEX tools_by_votes ON tools (votes DESC, id);
CREATE INDEX tools_by_category ON tools (category_id, votes DESC, id);
CREATE INDEX tools_by_age ON tools (created_at DESC, id);
CREATE INDEX tools_by_name ON tools (lower(name), id);

-- Down Migration

DROP INDEX tools_by_name, tools_by_age, tools_by_category, tools_by_votes, tools_document;
DROP FUNCTION tool_document(text, text[], text, text);
DROP FUNCTION fold_text(text);
