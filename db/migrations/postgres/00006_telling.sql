-- +goose Up

-- Whom an incident concerns is told by the loop of notices: the order to do so commits at once, for
-- any number of people.
ALTER TABLE affected ADD COLUMN ordered BIGINT NOT NULL DEFAULT 0;
CREATE INDEX affected_untold ON affected (incident, subject) WHERE ordered > 0 AND told = 0;
