CREATE TABLE hosts (
    name TEXT PRIMARY KEY,
    settings TEXT NOT NULL,          -- JSON, as the configuration's `[hosts.<name>]`
    added_at TEXT NOT NULL
) STRICT;
