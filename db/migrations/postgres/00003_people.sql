-- +goose Up
-- What a person said about the use of what is theirs, beside the rows that each saying is kept in.
ALTER TABLE subjects ADD COLUMN region TEXT NOT NULL DEFAULT '';
ALTER TABLE subjects ADD COLUMN restricted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE subjects ADD COLUMN consents TEXT NOT NULL DEFAULT '';
ALTER TABLE subjects ADD COLUMN objections TEXT NOT NULL DEFAULT '';
ALTER TABLE subjects ADD COLUMN unlogged BIGINT NOT NULL DEFAULT 0;
-- Said by its owner: what is made commercially is trained on only with a consent of its own.
ALTER TABLE jobs ADD COLUMN commercial BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE assets ADD COLUMN commercial BOOLEAN NOT NULL DEFAULT FALSE;
-- What is known of the device lies sealed in a record; proved is when its person last proved to be one.
ALTER TABLE sessions ADD COLUMN device TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN proved BIGINT NOT NULL DEFAULT 0;

CREATE TABLE addresses (
    subject TEXT COLLATE "C" PRIMARY KEY,
    digest BYTEA NOT NULL,
    keys BIGINT NOT NULL,
    confirmed BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX addresses_digest ON addresses (digest);

CREATE TABLE logins (
    id TEXT COLLATE "C" PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    handle BYTEA NOT NULL,
    created BIGINT NOT NULL,
    used BIGINT NOT NULL
);
CREATE INDEX logins_subject ON logins (subject);
CREATE UNIQUE INDEX logins_handle ON logins (kind, handle) WHERE length(handle) > 0;

CREATE TABLE vouchers (
    id TEXT COLLATE "C" PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL,
    purpose TEXT NOT NULL,
    digest BYTEA NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    tries BIGINT NOT NULL
);
CREATE UNIQUE INDEX vouchers_digest ON vouchers (digest);
CREATE INDEX vouchers_subject ON vouchers (subject);
CREATE INDEX vouchers_expires ON vouchers (expires);

CREATE TABLE api_keys (
    id TEXT COLLATE "C" PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    scopes TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used BIGINT NOT NULL
);
CREATE UNIQUE INDEX api_keys_digest ON api_keys (digest);
CREATE INDEX api_keys_subject ON api_keys (subject);
CREATE INDEX api_keys_expires ON api_keys (expires);

CREATE TABLE limits (
    what BYTEA PRIMARY KEY,
    hits BIGINT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX limits_until ON limits (until);

CREATE TABLE workspaces (
    subject TEXT COLLATE "C" PRIMARY KEY,
    no_training BIGINT NOT NULL,
    keep BIGINT NOT NULL,
    region TEXT NOT NULL,
    processors TEXT NOT NULL,
    record TEXT COLLATE "C" NOT NULL,
    set_by TEXT COLLATE "C" NOT NULL,
    set_at BIGINT NOT NULL
);

CREATE TABLE members (
    workspace TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    role TEXT NOT NULL,
    since BIGINT NOT NULL,
    record TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (workspace, subject)
);
CREATE INDEX members_subject ON members (subject);
CREATE INDEX members_record ON members (record);

CREATE TABLE choices (
    id TEXT COLLATE "C" PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    item TEXT COLLATE "C" NOT NULL,
    given BOOLEAN NOT NULL,
    via TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    at BIGINT NOT NULL,
    superseded BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX choices_subject ON choices (subject, name, item);
CREATE INDEX choices_expires ON choices (expires) WHERE expires > 0 AND superseded = 0;

CREATE TABLE cases (
    id TEXT COLLATE "C" PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    regime TEXT NOT NULL,
    purpose TEXT NOT NULL,
    received BIGINT NOT NULL,
    due BIGINT NOT NULL,
    extended BIGINT NOT NULL,
    answered BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    handler TEXT COLLATE "C" NOT NULL,
    record TEXT COLLATE "C" NOT NULL
);
CREATE INDEX cases_subject ON cases (subject, id);
CREATE INDEX cases_due ON cases (due) WHERE answered = 0;

CREATE TABLE threads (
    id TEXT COLLATE "C" PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    unread TEXT NOT NULL,
    object TEXT COLLATE "C" NOT NULL,
    record TEXT COLLATE "C" NOT NULL
);
CREATE INDEX threads_subject ON threads (subject, id);
CREATE INDEX threads_record ON threads (record);
CREATE INDEX threads_state ON threads (state, updated);

CREATE TABLE surveys (
    id TEXT COLLATE "C" PRIMARY KEY,
    created BIGINT NOT NULL,
    closed BIGINT NOT NULL,
    content TEXT NOT NULL
);

CREATE TABLE answers (
    survey TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    record TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (survey, subject)
);
CREATE INDEX answers_record ON answers (record);
CREATE INDEX answers_subject ON answers (subject);

CREATE TABLE incidents (
    id TEXT COLLATE "C" PRIMARY KEY,
    aware BIGINT NOT NULL,
    due BIGINT NOT NULL,
    opened_by TEXT COLLATE "C" NOT NULL,
    authority_told BIGINT NOT NULL,
    people_told BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    record TEXT COLLATE "C" NOT NULL
);

CREATE TABLE affected (
    incident TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    told BIGINT NOT NULL,
    PRIMARY KEY (incident, subject)
);
CREATE INDEX affected_subject ON affected (subject);

-- Whom a version of the policy was told to by mail, and all before this were told to nobody.
ALTER TABLE adoptions ADD COLUMN next_subject TEXT NOT NULL DEFAULT '';
ALTER TABLE adoptions ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
UPDATE adoptions SET told = published;

CREATE TABLE news (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    created BIGINT NOT NULL,
    words TEXT NOT NULL,
    next_subject TEXT NOT NULL,
    told BIGINT NOT NULL
);

CREATE TABLE mails (
    id TEXT COLLATE "C" PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    once TEXT NOT NULL,
    state TEXT NOT NULL,
    created BIGINT NOT NULL,
    next BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    sent BIGINT NOT NULL,
    code TEXT NOT NULL
);
CREATE INDEX mails_waiting ON mails (next) WHERE state = 'waiting';
CREATE INDEX mails_sending ON mails (next) WHERE state = 'sending';
CREATE UNIQUE INDEX mails_once ON mails (subject, once) WHERE once <> '';
CREATE INDEX mails_subject ON mails (subject);

-- How often each option was chosen; who chose it stands nowhere here.
CREATE TABLE tallies (
    survey TEXT COLLATE "C" NOT NULL,
    question TEXT COLLATE "C" NOT NULL,
    choice TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (survey, question, choice)
);

CREATE TABLE suspensions (
    subject TEXT COLLATE "C" PRIMARY KEY,
    clause TEXT NOT NULL,
    thread TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    due BIGINT NOT NULL,
    staff TEXT COLLATE "C" NOT NULL
);
