-- +goose Up
-- How long its owner chose to keep this picture, in ms; 0 follows their choice for everything.
ALTER TABLE assets ADD COLUMN picked BIGINT NOT NULL DEFAULT 0;
