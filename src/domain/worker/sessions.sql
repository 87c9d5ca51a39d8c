CREATE TABLE worker_sessions (
    number INTEGER PRIMARY KEY,      -- the number in the id
    session_id TEXT NOT NULL UNIQUE,
    worker TEXT NOT NULL,
    ended_at TEXT,
    record TEXT NOT NULL             -- JSON: everything
) STRICT;
CREATE INDEX worker_sessions_by_worker ON worker_sessions (worker, number);
CREATE INDEX worker_sessions_by_end ON worker_sessions (ended_at, number);
