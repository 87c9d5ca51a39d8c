CREATE TABLE task_checkpoints (
    task_id TEXT NOT NULL,
    checkpoint INTEGER NOT NULL,
    record TEXT NOT NULL,            -- JSON: everything
    PRIMARY KEY (task_id, checkpoint)
) STRICT;
