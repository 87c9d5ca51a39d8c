CREATE TABLE issues (                -- a cache: what the forge answered, for conditional requests
    url TEXT PRIMARY KEY,
    etag TEXT,
    body TEXT NOT NULL,
    link TEXT,                       -- where its next page is
    at TEXT NOT NULL
) STRICT;
