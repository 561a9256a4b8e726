-- +goose Up
-- A person's choice and what a change of tier left behind: docs of policy.Item say how they meet.
ALTER TABLE subjects ADD COLUMN choice BIGINT NOT NULL DEFAULT 0;
ALTER TABLE subjects ADD COLUMN former TEXT NOT NULL DEFAULT '';
ALTER TABLE subjects ADD COLUMN grace BIGINT NOT NULL DEFAULT 0;
ALTER TABLE subjects ADD COLUMN ends BIGINT NOT NULL DEFAULT 0;
ALTER TABLE subjects ADD COLUMN receipt TEXT COLLATE "C" NOT NULL DEFAULT '';
-- A change of choice or tier counts up; while the person's items follow it, lagging is when it came.
ALTER TABLE subjects ADD COLUMN changes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE subjects ADD COLUMN lagging BIGINT NOT NULL DEFAULT 0;
CREATE INDEX subjects_lagging ON subjects (lagging) WHERE lagging > 0;
CREATE INDEX subjects_ends ON subjects (ends) WHERE state = 'closed' AND ends > 0;
CREATE INDEX subjects_closing ON subjects (id) WHERE state = 'closed' AND last_seen > 0;
ALTER TABLE assets ADD COLUMN former TEXT NOT NULL DEFAULT '';
ALTER TABLE assets ADD COLUMN grace BIGINT NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN closed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN former TEXT NOT NULL DEFAULT '';
ALTER TABLE records ADD COLUMN grace BIGINT NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN closed BIGINT NOT NULL DEFAULT 0;
CREATE INDEX subjects_former ON subjects (grace) WHERE former <> '';

CREATE TABLE adoptions (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version TEXT NOT NULL,
    published BIGINT NOT NULL,
    effective BIGINT NOT NULL,
    next_asset TEXT COLLATE "C" NOT NULL,
    next_record TEXT COLLATE "C" NOT NULL,
    looked BIGINT NOT NULL,
    shortened BIGINT NOT NULL,
    total BIGINT NOT NULL,
    finished BIGINT NOT NULL
);
-- What was published before adoptions were kept was taken up at once, and has been reckoned.
INSERT INTO adoptions (version, published, effective, next_asset, next_record, looked, shortened, total, finished)
    SELECT version, published, GREATEST(effective, published), '', '', 0, 0, 0, GREATEST(published, 1)
    FROM policy_versions ORDER BY published, version;

CREATE TABLE roles (
    subject TEXT COLLATE "C" NOT NULL,
    role TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (subject, role)
);

CREATE TABLE holds (
    id TEXT COLLATE "C" PRIMARY KEY,
    asset TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    evidence TEXT COLLATE "C" NOT NULL,
    state TEXT NOT NULL,
    opened BIGINT NOT NULL,
    opened_by TEXT COLLATE "C" NOT NULL,
    ends BIGINT NOT NULL,
    review BIGINT NOT NULL,
    untold BOOLEAN NOT NULL,
    release_by TEXT COLLATE "C" NOT NULL,
    release_asked BIGINT NOT NULL,
    released_by TEXT COLLATE "C" NOT NULL,
    released BIGINT NOT NULL
);
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
    asset TEXT COLLATE "C" PRIMARY KEY,
    tries BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    cause TEXT NOT NULL
);

-- What was erased and is not yet in the journal of the backup target.
CREATE TABLE journal_entries (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL
);

CREATE TABLE backups (
    id TEXT COLLATE "C" PRIMARY KEY,
    started BIGINT NOT NULL,
    finished BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    blob_count BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    rehearsed BIGINT NOT NULL,
    code TEXT NOT NULL
);

CREATE TABLE usage_totals (
    day TEXT NOT NULL,
    kind TEXT NOT NULL,
    model TEXT NOT NULL,
    jobs BIGINT NOT NULL,
    PRIMARY KEY (day, kind, model)
);
CREATE TABLE usage_days (
    day TEXT PRIMARY KEY,
    counted BIGINT NOT NULL
);
CREATE INDEX jobs_ended ON jobs (ended) WHERE ended > 0;
-- Covers the lags that the privacy page shows.
DROP INDEX assets_tombstones;
CREATE INDEX assets_tombstones ON assets (purged, ends, erased) WHERE state = 'purged';
CREATE INDEX ledger_entries_old ON ledger_entries (created) WHERE kind <> 'carry';
CREATE INDEX journal_entries_item ON journal_entries (item);
DROP INDEX receipts_loose;
CREATE INDEX receipts_loose ON receipts (position, id) WHERE position < 0;
