CREATE TABLE task_labels (
    label TEXT NOT NULL,
    number INTEGER NOT NULL,         -- the number in the id
    task_id TEXT NOT NULL,
    PRIMARY KEY (label, number)
) STRICT;
CREATE INDEX task_labels_by_task ON task_labels (task_id);
