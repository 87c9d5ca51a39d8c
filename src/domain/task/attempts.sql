CREATE TABLE task_attempts (
    task_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    claimer TEXT NOT NULL,
    request_id TEXT NOT NULL,
    record TEXT NOT NULL,            -- JSON: everything
    PRIMARY KEY (task_id, attempt)
) STRICT;
CREATE INDEX task_attempts_by_request ON task_attempts (claimer, request_id);
