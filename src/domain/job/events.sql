CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,              -- JSON
    at TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_job ON events (job_id, number);
