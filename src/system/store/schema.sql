-- The first schema. Later ones are migrations of their own beside this file.
CREATE TABLE hosts (
    name TEXT PRIMARY KEY,
    settings TEXT NOT NULL,          -- JSON, as the configuration's `[hosts.<name>]`
    added_at TEXT NOT NULL
) STRICT;

CREATE TABLE checks (                -- passes of preflight that are kept
    host TEXT NOT NULL,
    subject TEXT NOT NULL,           -- digest of what was checked
    answer TEXT NOT NULL,            -- JSON
    at TEXT NOT NULL,
    at_epoch INTEGER NOT NULL,
    PRIMARY KEY (host, subject)
) STRICT;

CREATE TABLE workspaces (
    host TEXT NOT NULL,
    repository TEXT NOT NULL,
    specification TEXT NOT NULL,     -- JSON: what was asked for
    record TEXT NOT NULL,            -- JSON: what there is
    ready INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (host, repository)
) STRICT;

CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL UNIQUE,
    idempotency_key TEXT NOT NULL UNIQUE,
    input_digest TEXT NOT NULL,
    host TEXT NOT NULL,
    repository TEXT NOT NULL,
    agent TEXT NOT NULL,
    state TEXT NOT NULL,
    active INTEGER NOT NULL,         -- 1 while no end is known
    outcome TEXT,
    record TEXT NOT NULL,            -- JSON: everything else
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_by_activity ON jobs (active, number);
CREATE INDEX jobs_by_host ON jobs (host, number);
CREATE INDEX jobs_by_state ON jobs (state, number);
CREATE INDEX jobs_by_repository ON jobs (repository, number);
CREATE INDEX jobs_by_agent ON jobs (agent, number);

CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,              -- JSON
    at TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_job ON events (job_id, number);

CREATE TABLE issues (                -- what the forge answered, for conditional requests
    url TEXT PRIMARY KEY,
    etag TEXT,
    body TEXT NOT NULL,
    link TEXT,                       -- where its next page is
    at TEXT NOT NULL
) STRICT;
