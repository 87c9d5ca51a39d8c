CREATE TABLE task_events (
    task_id TEXT NOT NULL,
    event INTEGER NOT NULL,
    record TEXT NOT NULL,            -- JSON: everything
    PRIMARY KEY (task_id, event)
) STRICT;
