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
