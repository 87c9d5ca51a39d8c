CREATE TABLE task_series (
    series TEXT NOT NULL PRIMARY KEY,    -- the id of its first task
    idempotency_key TEXT NOT NULL UNIQUE,
    newest TEXT NOT NULL,                -- the task at hand, or the last one
    record TEXT NOT NULL                 -- JSON: everything
) STRICT;
CREATE INDEX task_series_by_newest ON task_series (newest);
