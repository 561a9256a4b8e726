-- +goose Up
-- What a person said about the use of what is theirs, beside the rows that each saying is kept in.
ALTER TABLE subjects ADD COLUMN region TEXT NOT NULL DEFAULT '';
ALTER TABLE subjects ADD COLUMN restricted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subjects ADD COLUMN consents TEXT NOT NULL DEFAULT '';
ALTER TABLE subjects ADD COLUMN objections TEXT NOT NULL DEFAULT '';
ALTER TABLE subjects ADD COLUMN unlogged INTEGER NOT NULL DEFAULT 0;
-- Said by its owner: what is made commercially is trained on only with a consent of its own.
ALTER TABLE jobs ADD COLUMN commercial INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN commercial INTEGER NOT NULL DEFAULT 0;
-- What is known of the device lies sealed in a record; proved is when its person last proved to be one.
ALTER TABLE sessions ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN proved INTEGER NOT NULL DEFAULT 0;

CREATE TABLE addresses (
    subject TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    keys INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    changed INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX addresses_digest ON addresses (digest);

CREATE TABLE logins (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    handle BLOB NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT;
CREATE INDEX logins_subject ON logins (subject);
CREATE UNIQUE INDEX logins_handle ON logins (kind, handle) WHERE length(handle) > 0;

CREATE TABLE vouchers (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    purpose TEXT NOT NULL,
    digest BLOB NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    tries INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX vouchers_digest ON vouchers (digest);
CREATE INDEX vouchers_subject ON vouchers (subject);
CREATE INDEX vouchers_expires ON vouchers (expires);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    digest BLOB NOT NULL,
    scopes TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX api_keys_digest ON api_keys (digest);
CREATE INDEX api_keys_subject ON api_keys (subject);
CREATE INDEX api_keys_expires ON api_keys (expires);

CREATE TABLE limits (
    what BLOB PRIMARY KEY,
    hits INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;
CREATE INDEX limits_until ON limits (until);

CREATE TABLE workspaces (
    subject TEXT PRIMARY KEY,
    no_training INTEGER NOT NULL,
    keep INTEGER NOT NULL,
    region TEXT NOT NULL,
    processors TEXT NOT NULL,
    record TEXT NOT NULL,
    set_by TEXT NOT NULL,
    set_at INTEGER NOT NULL
) STRICT;

CREATE TABLE members (
    workspace TEXT NOT NULL,
    subject TEXT NOT NULL,
    role TEXT NOT NULL,
    since INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (workspace, subject)
) STRICT;
CREATE INDEX members_subject ON members (subject);
CREATE INDEX members_record ON members (record);

CREATE TABLE choices (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    name TEXT NOT NULL,
    item TEXT NOT NULL,
    given INTEGER NOT NULL,
    via TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    at INTEGER NOT NULL,
    superseded INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX choices_subject ON choices (subject, name, item);
CREATE INDEX choices_expires ON choices (expires) WHERE expires > 0 AND superseded = 0;

CREATE TABLE cases (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    regime TEXT NOT NULL,
    purpose TEXT NOT NULL,
    received INTEGER NOT NULL,
    due INTEGER NOT NULL,
    extended INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    handler TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX cases_subject ON cases (subject, id);
CREATE INDEX cases_due ON cases (due) WHERE answered = 0;

CREATE TABLE threads (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    unread TEXT NOT NULL,
    object TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX threads_subject ON threads (subject, id);
CREATE INDEX threads_record ON threads (record);
CREATE INDEX threads_state ON threads (state, updated);

CREATE TABLE surveys (
    id TEXT PRIMARY KEY,
    created INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    content TEXT NOT NULL
) STRICT;

CREATE TABLE answers (
    survey TEXT NOT NULL,
    subject TEXT NOT NULL,
    record TEXT NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (survey, subject)
) STRICT;
CREATE INDEX answers_record ON answers (record);
CREATE INDEX answers_subject ON answers (subject);

CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    aware INTEGER NOT NULL,
    due INTEGER NOT NULL,
    opened_by TEXT NOT NULL,
    authority_told INTEGER NOT NULL,
    people_told INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;

CREATE TABLE affected (
    incident TEXT NOT NULL,
    subject TEXT NOT NULL,
    told INTEGER NOT NULL,
    PRIMARY KEY (incident, subject)
) STRICT;
CREATE INDEX affected_subject ON affected (subject);

-- Whom a version of the policy was told to by mail, and all before this were told to nobody.
ALTER TABLE adoptions ADD COLUMN next_subject TEXT NOT NULL DEFAULT '';
ALTER TABLE adoptions ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
UPDATE adoptions SET told = published;

CREATE TABLE news (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    created INTEGER NOT NULL,
    words TEXT NOT NULL,
    next_subject TEXT NOT NULL,
    told INTEGER NOT NULL
) STRICT;

CREATE TABLE mails (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    once TEXT NOT NULL,
    state TEXT NOT NULL,
    created INTEGER NOT NULL,
    next INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    code TEXT NOT NULL
) STRICT;
CREATE INDEX mails_waiting ON mails (next) WHERE state = 'waiting';
CREATE INDEX mails_sending ON mails (next) WHERE state = 'sending';
CREATE UNIQUE INDEX mails_once ON mails (subject, once) WHERE once <> '';
CREATE INDEX mails_subject ON mails (subject);

-- How often each option was chosen; who chose it stands nowhere here.
CREATE TABLE tallies (
    survey TEXT NOT NULL,
    question TEXT NOT NULL,
    choice TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (survey, question, choice)
) STRICT;

CREATE TABLE suspensions (
    subject TEXT PRIMARY KEY,
    clause TEXT NOT NULL,
    thread TEXT NOT NULL,
    at INTEGER NOT NULL,
    due INTEGER NOT NULL,
    staff TEXT NOT NULL
) STRICT;
