CREATE TABLE task_dependencies (
    task_id TEXT NOT NULL,
    depends_on TEXT NOT NULL,
    PRIMARY KEY (task_id, depends_on)
) STRICT;
CREATE INDEX task_dependencies_by_other ON task_dependencies (depends_on, task_id);
