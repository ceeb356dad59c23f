-- The first schema. Texts are UTF-8, times Unix milliseconds, enums their stable names.

CREATE TABLE events (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT NOT NULL,
    source         TEXT NOT NULL,
    type           TEXT NOT NULL,
    api            TEXT,
    subject        TEXT,
    time_ms        INTEGER NOT NULL,
    recorded_ms    INTEGER NOT NULL,
    dataschema     TEXT,
    partitionkey   TEXT NOT NULL,
    instance       TEXT NOT NULL,
    correlationid  TEXT NOT NULL,
    causationid    TEXT,
    chaindepth     INTEGER NOT NULL,
    chainpath      TEXT NOT NULL,
    traceparent    TEXT,
    exchangeid     TEXT,
    severitytext   TEXT,
    eventcode      TEXT,
    testevent      INTEGER NOT NULL,
    data           BLOB NOT NULL,
    UNIQUE (id, source)
) STRICT;
-- The list of events, filtered by type and API without touching the rows.
CREATE INDEX events_time ON events (time_ms, seq, type, api);
CREATE INDEX events_type ON events (type, time_ms, seq);
CREATE INDEX events_correlation ON events (correlationid);
CREATE INDEX events_causation ON events (causationid) WHERE causationid IS NOT NULL;
CREATE INDEX events_exchange ON events (exchangeid) WHERE exchangeid IS NOT NULL;

CREATE TABLE skips (
    event        INTEGER NOT NULL REFERENCES events (seq) ON DELETE CASCADE,
    position     INTEGER NOT NULL,
    destination  TEXT NOT NULL,
    reason       TEXT NOT NULL,
    detail       TEXT NOT NULL,
    PRIMARY KEY (event, position)
) STRICT, WITHOUT ROWID;

-- Skips beyond those kept in detail.
CREATE TABLE further_skips (
    event   INTEGER NOT NULL REFERENCES events (seq) ON DELETE CASCADE,
    reason  TEXT NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (event, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
    id            TEXT PRIMARY KEY,
    destination   TEXT NOT NULL,
    event         INTEGER NOT NULL REFERENCES events (seq) ON DELETE CASCADE,
    state         TEXT NOT NULL,
    generation    INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    step          INTEGER NOT NULL,
    due_ms        INTEGER NOT NULL,
    created_ms    INTEGER NOT NULL,
    hold          TEXT,
    end           TEXT,
    last_outcome  TEXT,
    last_status   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (destination, due_ms, id)
    WHERE state IN ('created', 'retrying');
CREATE INDEX deliveries_created ON deliveries (created_ms, id);
CREATE INDEX deliveries_destination ON deliveries (destination, created_ms, id, state);
CREATE INDEX deliveries_state ON deliveries (state, created_ms, id);
CREATE INDEX deliveries_event ON deliveries (event, state);

-- Kept longer than their deliveries, hence no reference.
CREATE TABLE attempts (
    delivery          TEXT NOT NULL,
    number            INTEGER NOT NULL,
    ended             INTEGER NOT NULL,
    trigger           TEXT NOT NULL,
    started_ms        INTEGER NOT NULL,
    duration_ms       INTEGER NOT NULL,
    target_version    INTEGER NOT NULL,
    url               TEXT NOT NULL,
    address           TEXT,
    request_headers   TEXT NOT NULL,
    body_sha256       TEXT NOT NULL,
    status            INTEGER,
    response_headers  TEXT NOT NULL,
    response_body     BLOB NOT NULL,
    outcome           TEXT NOT NULL,
    error             TEXT,
    UNIQUE (delivery, number)
) STRICT;
CREATE INDEX attempts_started ON attempts (started_ms);
CREATE INDEX attempts_unfinished ON attempts (delivery, number) WHERE ended = 0;

CREATE TABLE findings (
    api                  TEXT NOT NULL,
    version              TEXT NOT NULL,
    fingerprint          TEXT NOT NULL,
    kind                 TEXT NOT NULL,
    label                TEXT NOT NULL,
    state                TEXT NOT NULL,
    verdict              TEXT NOT NULL,
    severity             TEXT NOT NULL,
    confidence           REAL NOT NULL,
    direction            TEXT NOT NULL,
    method               TEXT NOT NULL,
    template             TEXT NOT NULL,
    status               TEXT NOT NULL,
    media_type           TEXT NOT NULL,
    pointer              TEXT NOT NULL,
    keyword              TEXT NOT NULL,
    expected             TEXT NOT NULL,
    observed             TEXT NOT NULL,
    opportunities        INTEGER NOT NULL,
    occurrences          INTEGER NOT NULL,
    windows              INTEGER NOT NULL,
    consumers            INTEGER NOT NULL,
    first_seen_ms        INTEGER NOT NULL,
    last_seen_ms         INTEGER NOT NULL,
    message              TEXT NOT NULL,
    remedy               TEXT NOT NULL,
    spec_revision        TEXT NOT NULL,
    spec_origin          TEXT NOT NULL,
    event_specification  TEXT,
    reopened             INTEGER NOT NULL,
    counter              TEXT NOT NULL,
    PRIMARY KEY (api, version, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE INDEX findings_fingerprint ON findings (fingerprint);

CREATE TABLE revisions (
    api         TEXT NOT NULL,
    id          TEXT NOT NULL,
    origin      TEXT NOT NULL,
    parent      TEXT,
    reason      TEXT NOT NULL,
    created_ms  INTEGER NOT NULL,
    text        TEXT NOT NULL,
    UNIQUE (api, id)
) STRICT;
CREATE INDEX revisions_created ON revisions (api, created_ms);

CREATE TABLE baselines (
    api        TEXT PRIMARY KEY,
    revision   TEXT NOT NULL,
    since_ms   INTEGER NOT NULL,
    file_hash  TEXT,
    reason     TEXT NOT NULL
) STRICT;

CREATE TABLE evidence (
    api         TEXT PRIMARY KEY,
    bytes       BLOB NOT NULL
) STRICT;

CREATE TABLE objects (
    kind        TEXT NOT NULL,
    id          TEXT NOT NULL,
    name        TEXT NOT NULL,
    origin      TEXT NOT NULL,
    version     INTEGER NOT NULL,
    body        TEXT NOT NULL,
    updated_ms  INTEGER NOT NULL,
    UNIQUE (kind, id)
) STRICT;

-- How far each consumer of the event log has come: a row of events.
CREATE TABLE cursors (
    name      TEXT PRIMARY KEY,
    position  INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    id       INTEGER PRIMARY KEY,
    time_ms  INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    target   TEXT NOT NULL,
    before   TEXT NOT NULL,
    after    TEXT NOT NULL
) STRICT;
CREATE INDEX audit_time ON audit (time_ms);
