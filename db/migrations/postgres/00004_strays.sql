-- +goose Up
-- Keys that were destroyed and that no tombstone names, such as a login's, until a scrub was sure
-- that they left the database's files. An empty item may have lain in any partition.
CREATE TABLE strays (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX strays_at ON strays (at);
-- Which of them were destroyed before stands nowhere.
INSERT INTO strays (item, at) SELECT '', CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) WHERE EXISTS (SELECT 1 FROM secrets);
