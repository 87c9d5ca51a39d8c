CREATE TABLE workspaces (
    host TEXT NOT NULL,
    repository TEXT NOT NULL,
    specification TEXT NOT NULL,     -- JSON: what was asked for
    record TEXT NOT NULL,            -- JSON: what there is
    ready INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (host, repository)
) STRICT;
