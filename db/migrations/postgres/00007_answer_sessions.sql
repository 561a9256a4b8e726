-- +goose Up

-- A link to an answer of support opens one thread alone: who has it may be a stranger to its owner.
ALTER TABLE sessions ADD COLUMN thread TEXT NOT NULL DEFAULT '';
