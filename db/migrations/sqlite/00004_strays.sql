-- +goose Up
-- Keys that were destroyed and that no tombstone names, such as a login's, until a scrub was sure
-- that they left the database's files. An empty item may have lain anywhere.
CREATE TABLE strays (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    item TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX strays_at ON strays (at);
-- Which of them were destroyed before stands nowhere.
INSERT INTO strays (item, at) SELECT '', CAST(unixepoch('subsec') * 1000 AS INTEGER) WHERE EXISTS (SELECT 1 FROM secrets);
