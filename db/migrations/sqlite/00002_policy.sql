-- +goose Up
-- A person's choice and what a change of tier left behind: docs of policy.Item say how they meet.
ALTER TABLE subjects ADD COLUMN choice INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subjects ADD COLUMN former TEXT NOT NULL DEFAULT '';
ALTER TABLE subjects ADD COLUMN grace INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subjects ADD COLUMN ends INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subjects ADD COLUMN receipt TEXT NOT NULL DEFAULT '';
-- A change of choice or tier counts up; while the person's items follow it, lagging is when it came.
ALTER TABLE subjects ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subjects ADD COLUMN lagging INTEGER NOT NULL DEFAULT 0;
CREATE INDEX subjects_lagging ON subjects (lagging) WHERE lagging > 0;
CREATE INDEX subjects_ends ON subjects (ends) WHERE state = 'closed' AND ends > 0;
CREATE INDEX subjects_closing ON subjects (id) WHERE state = 'closed' AND last_seen > 0;
ALTER TABLE assets ADD COLUMN former TEXT NOT NULL DEFAULT '';
ALTER TABLE assets ADD COLUMN grace INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN former TEXT NOT NULL DEFAULT '';
ALTER TABLE records ADD COLUMN grace INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX subjects_former ON subjects (grace) WHERE former <> '';

CREATE TABLE adoptions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    version TEXT NOT NULL,
    published INTEGER NOT NULL,
    effective INTEGER NOT NULL,
    next_asset TEXT NOT NULL,
    next_record TEXT NOT NULL,
    looked INTEGER NOT NULL,
    shortened INTEGER NOT NULL,
    total INTEGER NOT NULL,
    finished INTEGER NOT NULL
) STRICT;
-- What was published before adoptions were kept was taken up at once, and has been reckoned.
INSERT INTO adoptions (version, published, effective, next_asset, next_record, looked, shortened, total, finished)
    SELECT version, published, MAX(effective, published), '', '', 0, 0, 0, MAX(published, 1)
    FROM policy_versions ORDER BY published, version;

CREATE TABLE roles (
    subject TEXT NOT NULL,
    role TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (subject, role)
) STRICT;

CREATE TABLE holds (
    id TEXT PRIMARY KEY,
    asset TEXT NOT NULL,
    owner TEXT NOT NULL,
    evidence TEXT NOT NULL,
    state TEXT NOT NULL,
    opened INTEGER NOT NULL,
    opened_by TEXT NOT NULL,
    ends INTEGER NOT NULL,
    review INTEGER NOT NULL,
    untold INTEGER NOT NULL,
    release_by TEXT NOT NULL,
    release_asked INTEGER NOT NULL,
    released_by TEXT NOT NULL,
    released INTEGER NOT NULL
) STRICT;
CREATE INDEX holds_asset ON holds (asset) WHERE state = 'opening';
CREATE INDEX holds_owner ON holds (owner);
CREATE INDEX holds_review ON holds (review) WHERE state = 'held';
-- One owner of all that is held, whichever node opens the first hold.
CREATE UNIQUE INDEX subjects_custody ON subjects (kind) WHERE kind = 'custody';
-- Openings of people's data, by whom they concern and by what was opened.
CREATE INDEX audit_events_told ON audit_events (subject, id) WHERE length(sealed) > 0;
CREATE INDEX audit_events_about ON audit_events (object, id) WHERE length(sealed) > 0;

-- Removals that failed; a blob that went has no row.
CREATE TABLE removals (
    asset TEXT PRIMARY KEY,
    tries INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    cause TEXT NOT NULL
) STRICT;

-- What was erased and is not yet in the journal of the backup target.
CREATE TABLE journal_entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    item TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE backups (
    id TEXT PRIMARY KEY,
    started INTEGER NOT NULL,
    finished INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    blob_count INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    rehearsed INTEGER NOT NULL,
    code TEXT NOT NULL
) STRICT;

CREATE TABLE usage_totals (
    day TEXT NOT NULL,
    kind TEXT NOT NULL,
    model TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    PRIMARY KEY (day, kind, model)
) STRICT;
CREATE TABLE usage_days (
    day TEXT PRIMARY KEY,
    counted INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_ended ON jobs (ended) WHERE ended > 0;
-- Covers the lags that the privacy page shows.
DROP INDEX assets_tombstones;
CREATE INDEX assets_tombstones ON assets (purged, ends, erased) WHERE state = 'purged';
CREATE INDEX ledger_entries_old ON ledger_entries (created) WHERE kind <> 'carry';
CREATE INDEX journal_entries_item ON journal_entries (item);
DROP INDEX receipts_loose;
CREATE INDEX receipts_loose ON receipts (position, id) WHERE position < 0;
