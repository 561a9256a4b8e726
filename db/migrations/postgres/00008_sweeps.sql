-- +goose Up

-- Sweeps ask every few seconds for what is over. Without these each reads its whole table while
-- others wait to write.
DROP INDEX subjects_seen;
CREATE INDEX subjects_seen ON subjects (kind, tier, last_seen) WHERE state IN ('active', 'suspended');
CREATE INDEX choices_items ON choices (id) WHERE item <> '' AND superseded = 0;
CREATE INDEX choices_superseded ON choices (superseded) WHERE superseded > 0;
CREATE INDEX mails_created ON mails (created);
CREATE INDEX mails_sent ON mails (sent) WHERE sent > 0;
CREATE INDEX cases_received ON cases (received);
