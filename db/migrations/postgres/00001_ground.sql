-- +goose Up
CREATE TABLE subjects (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT NOT NULL,
    tier TEXT NOT NULL,
    state TEXT NOT NULL,
    created BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    closed BIGINT NOT NULL,
    policy_version TEXT NOT NULL
);
CREATE INDEX subjects_seen ON subjects (kind, last_seen) WHERE state = 'active';
CREATE INDEX subjects_erased ON subjects (closed) WHERE state = 'erased';

-- Keys lie here alone, in narrow partitions: one that lost a key is rewritten whole, since a
-- deleted row otherwise stays legible in the heap. No statistics: ANALYZE would copy keys into the catalogue.
CREATE TABLE subject_keys (
    subject TEXT COLLATE "C" PRIMARY KEY,
    wrapped BYTEA NOT NULL
) PARTITION BY HASH (subject);
-- +goose StatementBegin
DO $$
BEGIN
    FOR n IN 0..15 LOOP
        EXECUTE format('CREATE TABLE subject_keys_p%s PARTITION OF subject_keys FOR VALUES WITH (MODULUS 16, REMAINDER %s)', n, n);
        EXECUTE format('ALTER TABLE subject_keys_p%s ALTER COLUMN wrapped SET STORAGE EXTERNAL, ALTER COLUMN wrapped SET STATISTICS 0', n);
    END LOOP;
END
$$;
-- +goose StatementEnd
ALTER TABLE subject_keys ALTER COLUMN wrapped SET STATISTICS 0;

CREATE TABLE sessions (
    id TEXT COLLATE "C" PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL REFERENCES subjects (id),
    digest BYTEA NOT NULL UNIQUE,
    created BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX sessions_subject ON sessions (subject);
CREATE INDEX sessions_expires ON sessions (expires);

CREATE TABLE assets (
    id TEXT COLLATE "C" PRIMARY KEY,
    owner TEXT COLLATE "C" NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    category TEXT NOT NULL,
    state TEXT NOT NULL,
    tier TEXT NOT NULL,
    job TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    job_ended BIGINT NOT NULL,
    saved BOOLEAN NOT NULL,
    uses BIGINT NOT NULL CHECK (uses >= 0),
    choice BIGINT NOT NULL,
    due BIGINT NOT NULL,
    rule TEXT NOT NULL,
    ordered BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    reason TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    erased BIGINT NOT NULL,
    purged BIGINT NOT NULL,
    receipt TEXT COLLATE "C" NOT NULL
);
CREATE INDEX assets_owner ON assets (owner, id);
CREATE INDEX assets_job ON assets (job) WHERE job <> '';
CREATE INDEX assets_ends ON assets (ends) WHERE state = 'active' AND ends > 0;
CREATE INDEX assets_erased ON assets (erased) WHERE state = 'erased';
CREATE INDEX assets_tombstones ON assets (purged) WHERE state = 'purged';

CREATE TABLE blobs (
    name TEXT PRIMARY KEY,
    asset TEXT COLLATE "C" NOT NULL,
    role TEXT NOT NULL,
    state TEXT NOT NULL,
    size BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX blobs_asset ON blobs (asset);
CREATE INDEX blobs_writing ON blobs (created) WHERE state = 'writing';
CREATE INDEX blobs_doomed ON blobs (created) WHERE state = 'doomed';

CREATE TABLE sources (
    asset TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (asset, source)
);
CREATE INDEX sources_source ON sources (source);

CREATE TABLE records (
    id TEXT COLLATE "C" PRIMARY KEY,
    owner TEXT COLLATE "C" NOT NULL,
    category TEXT NOT NULL,
    job TEXT COLLATE "C" NOT NULL,
    asset TEXT COLLATE "C" NOT NULL,
    tier TEXT NOT NULL,
    created BIGINT NOT NULL,
    choice BIGINT NOT NULL,
    due BIGINT NOT NULL,
    rule TEXT NOT NULL,
    ordered BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    erased BIGINT NOT NULL,
    receipt TEXT COLLATE "C" NOT NULL
);
CREATE INDEX records_owner ON records (owner, id);
CREATE INDEX records_job ON records (job) WHERE job <> '';
CREATE INDEX records_asset ON records (asset) WHERE asset <> '';
CREATE INDEX records_ends ON records (ends) WHERE state = 'active' AND ends > 0;
CREATE INDEX records_erased ON records (erased) WHERE state = 'erased';

-- Keys lie here alone, in narrow partitions: one that lost a key is rewritten whole, since a
-- deleted row otherwise stays legible in the heap. No statistics: ANALYZE would copy keys into the catalogue.
CREATE TABLE secrets (
    id TEXT COLLATE "C" PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL,
    wrapped BYTEA NOT NULL,
    sealed BYTEA NOT NULL
) PARTITION BY HASH (id);
-- +goose StatementBegin
DO $$
BEGIN
    FOR n IN 0..63 LOOP
        EXECUTE format('CREATE TABLE secrets_p%s PARTITION OF secrets FOR VALUES WITH (MODULUS 64, REMAINDER %s)', n, n);
        EXECUTE format('ALTER TABLE secrets_p%s ALTER COLUMN wrapped SET STORAGE EXTERNAL, ALTER COLUMN wrapped SET STATISTICS 0', n);
        EXECUTE format('ALTER TABLE secrets_p%s ALTER COLUMN sealed SET STORAGE EXTERNAL, ALTER COLUMN sealed SET STATISTICS 0', n);
    END LOOP;
END
$$;
-- +goose StatementEnd
ALTER TABLE secrets ALTER COLUMN wrapped SET STATISTICS 0;
ALTER TABLE secrets ALTER COLUMN sealed SET STATISTICS 0;
CREATE INDEX secrets_subject ON secrets (subject);

CREATE TABLE jobs (
    id TEXT COLLATE "C" PRIMARY KEY,
    owner TEXT COLLATE "C" NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    session TEXT COLLATE "C" NOT NULL,
    engine TEXT NOT NULL,
    model TEXT NOT NULL,
    runner TEXT NOT NULL,
    created BIGINT NOT NULL,
    announced BIGINT NOT NULL,
    started BIGINT NOT NULL,
    sent BIGINT NOT NULL,
    beat BIGINT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    held BIGINT NOT NULL CHECK (held >= 0),
    code TEXT NOT NULL,
    seconds DOUBLE PRECISION NOT NULL,
    policy_version TEXT NOT NULL
);
CREATE INDEX jobs_owner ON jobs (owner, id);
CREATE INDEX jobs_open ON jobs (lane, owner, id) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_announced ON jobs (id) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_created ON jobs (created) WHERE ended > 0;

CREATE TABLE job_inputs (
    job TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    asset TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (job, position)
);
CREATE INDEX job_inputs_asset ON job_inputs (asset);

CREATE TABLE ledger_accounts (
    subject TEXT COLLATE "C" PRIMARY KEY,
    balance BIGINT NOT NULL CHECK (balance >= 0),
    held BIGINT NOT NULL CHECK (held >= 0)
);

CREATE TABLE ledger_entries (
    id TEXT COLLATE "C" PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL,
    job TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    amount BIGINT NOT NULL,
    held BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX ledger_entries_subject ON ledger_entries (subject, id);
CREATE UNIQUE INDEX ledger_entries_once ON ledger_entries (job, kind) WHERE job <> '';

CREATE TABLE audit_events (
    id TEXT COLLATE "C" PRIMARY KEY,
    at BIGINT NOT NULL,
    action TEXT NOT NULL,
    role TEXT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    object TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    seq BIGINT UNIQUE,
    prev BYTEA NOT NULL,
    hash BYTEA NOT NULL
);
CREATE INDEX audit_events_loose ON audit_events (id) WHERE seq IS NULL;

CREATE TABLE audit_heads (
    seq BIGINT PRIMARY KEY,
    hash BYTEA NOT NULL,
    at BIGINT NOT NULL,
    note TEXT NOT NULL
);

CREATE TABLE receipts (
    id TEXT COLLATE "C" PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL,
    batch TEXT COLLATE "C" NOT NULL,
    item TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    leaf BYTEA NOT NULL,
    position BIGINT NOT NULL
);
CREATE INDEX receipts_loose ON receipts (id) WHERE position < 0;
CREATE UNIQUE INDEX receipts_position ON receipts (position) WHERE position >= 0;
CREATE INDEX receipts_item ON receipts (item);

CREATE TABLE log_hashes (
    position BIGINT PRIMARY KEY,
    hash BYTEA NOT NULL
);

CREATE TABLE checkpoints (
    size BIGINT PRIMARY KEY,
    note TEXT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE policy_versions (
    version TEXT PRIMARY KEY,
    sha256 BYTEA NOT NULL,
    document TEXT NOT NULL,
    published BIGINT NOT NULL,
    effective BIGINT NOT NULL
);

CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL
);

CREATE TABLE instance (
    id TEXT PRIMARY KEY,
    keyset TEXT NOT NULL,
    created BIGINT NOT NULL
);
