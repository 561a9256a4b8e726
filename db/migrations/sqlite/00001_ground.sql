-- +goose Up
CREATE TABLE subjects (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    tier TEXT NOT NULL,
    state TEXT NOT NULL,
    created INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    policy_version TEXT NOT NULL
) STRICT;
CREATE INDEX subjects_seen ON subjects (kind, last_seen) WHERE state = 'active';
CREATE INDEX subjects_erased ON subjects (closed) WHERE state = 'erased';

-- Keys lie here alone, and rows are only appended: SQLite leaves copies of rows in the gaps of
-- pages that it rebalances. So a destroyed key is a row emptied in its place (length(wrapped) = 0),
-- and the larger table, secrets, is rewritten once most rows are empty.
CREATE TABLE subject_keys (
    subject TEXT NOT NULL,
    wrapped BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX subject_keys_key ON subject_keys (subject) WHERE length(wrapped) > 0;

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL REFERENCES subjects (id),
    digest BLOB NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_subject ON sessions (subject);
CREATE INDEX sessions_expires ON sessions (expires);

CREATE TABLE assets (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    author TEXT NOT NULL,
    category TEXT NOT NULL,
    state TEXT NOT NULL,
    tier TEXT NOT NULL,
    job TEXT NOT NULL,
    created INTEGER NOT NULL,
    job_ended INTEGER NOT NULL,
    saved INTEGER NOT NULL,
    uses INTEGER NOT NULL CHECK (uses >= 0),
    choice INTEGER NOT NULL,
    due INTEGER NOT NULL,
    rule TEXT NOT NULL,
    ordered INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    reason TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    erased INTEGER NOT NULL,
    purged INTEGER NOT NULL,
    receipt TEXT NOT NULL
) STRICT;
CREATE INDEX assets_owner ON assets (owner, id);
CREATE INDEX assets_job ON assets (job) WHERE job <> '';
CREATE INDEX assets_ends ON assets (ends) WHERE state = 'active' AND ends > 0;
CREATE INDEX assets_erased ON assets (erased) WHERE state = 'erased';
CREATE INDEX assets_tombstones ON assets (purged) WHERE state = 'purged';

CREATE TABLE blobs (
    name TEXT PRIMARY KEY,
    asset TEXT NOT NULL,
    role TEXT NOT NULL,
    state TEXT NOT NULL,
    size INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX blobs_asset ON blobs (asset);
CREATE INDEX blobs_writing ON blobs (created) WHERE state = 'writing';
CREATE INDEX blobs_doomed ON blobs (created) WHERE state = 'doomed';

CREATE TABLE sources (
    asset TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (asset, source)
) STRICT;
CREATE INDEX sources_source ON sources (source);

CREATE TABLE records (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    category TEXT NOT NULL,
    job TEXT NOT NULL,
    asset TEXT NOT NULL,
    tier TEXT NOT NULL,
    created INTEGER NOT NULL,
    choice INTEGER NOT NULL,
    due INTEGER NOT NULL,
    rule TEXT NOT NULL,
    ordered INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    erased INTEGER NOT NULL,
    receipt TEXT NOT NULL
) STRICT;
CREATE INDEX records_owner ON records (owner, id);
CREATE INDEX records_job ON records (job) WHERE job <> '';
CREATE INDEX records_asset ON records (asset) WHERE asset <> '';
CREATE INDEX records_ends ON records (ends) WHERE state = 'active' AND ends > 0;
CREATE INDEX records_erased ON records (erased) WHERE state = 'erased';

-- Keys lie here alone, and rows are only appended: SQLite leaves copies of rows in the gaps of
-- pages that it rebalances. So a destroyed key is a row emptied in its place (length(wrapped) = 0),
-- and the larger table, secrets, is rewritten once most rows are empty.
CREATE TABLE secrets (
    id TEXT NOT NULL,
    subject TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX secrets_key ON secrets (id) WHERE length(wrapped) > 0;
CREATE INDEX secrets_subject ON secrets (subject) WHERE length(wrapped) > 0;

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    author TEXT NOT NULL,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    session TEXT NOT NULL,
    engine TEXT NOT NULL,
    model TEXT NOT NULL,
    runner TEXT NOT NULL,
    created INTEGER NOT NULL,
    announced INTEGER NOT NULL,
    started INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    beat INTEGER NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    held INTEGER NOT NULL CHECK (held >= 0),
    code TEXT NOT NULL,
    seconds REAL NOT NULL,
    policy_version TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_owner ON jobs (owner, id);
CREATE INDEX jobs_open ON jobs (lane, owner, id) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_announced ON jobs (id) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_created ON jobs (created) WHERE ended > 0;

CREATE TABLE job_inputs (
    job TEXT NOT NULL,
    position INTEGER NOT NULL,
    asset TEXT NOT NULL,
    PRIMARY KEY (job, position)
) STRICT;
CREATE INDEX job_inputs_asset ON job_inputs (asset);

CREATE TABLE ledger_accounts (
    subject TEXT PRIMARY KEY,
    balance INTEGER NOT NULL CHECK (balance >= 0),
    held INTEGER NOT NULL CHECK (held >= 0)
) STRICT;

CREATE TABLE ledger_entries (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    job TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount INTEGER NOT NULL,
    held INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX ledger_entries_subject ON ledger_entries (subject, id);
CREATE UNIQUE INDEX ledger_entries_once ON ledger_entries (job, kind) WHERE job <> '';

CREATE TABLE audit_events (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    role TEXT NOT NULL,
    subject TEXT NOT NULL,
    object TEXT NOT NULL,
    sealed BLOB NOT NULL,
    seq INTEGER UNIQUE,
    prev BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_events_loose ON audit_events (id) WHERE seq IS NULL;

CREATE TABLE audit_heads (
    seq INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    at INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;

CREATE TABLE receipts (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    batch TEXT NOT NULL,
    item TEXT NOT NULL,
    created INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    leaf BLOB NOT NULL,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX receipts_loose ON receipts (id) WHERE position < 0;
CREATE UNIQUE INDEX receipts_position ON receipts (position) WHERE position >= 0;
CREATE INDEX receipts_item ON receipts (item);

CREATE TABLE log_hashes (
    position INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE checkpoints (
    size INTEGER PRIMARY KEY,
    note TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE policy_versions (
    version TEXT PRIMARY KEY,
    sha256 BLOB NOT NULL,
    document TEXT NOT NULL,
    published INTEGER NOT NULL,
    effective INTEGER NOT NULL
) STRICT;

CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE TABLE instance (
    id TEXT PRIMARY KEY,
    keyset TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
