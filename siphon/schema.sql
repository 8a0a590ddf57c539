-- The tables of siphon.db. Everything here is made from the archive; deleting it loses nothing.
-- Times are integer UTC milliseconds. NULL: the log does not say. Integer ids do not leave the database:
-- what is stable across rebuilds is sessions.uid and the native ids.
-- Foreign keys are declared for readers (Datasette's links); the loader keeps them, not SQLite.

create table hosts (
    name text primary key,
    collected_at integer,           -- end of the last successful collect
    attempted_at integer,           -- end of the last collect, successful or not
    error text                      -- of the last collect, NULL if it went well
);

create table logs (
    id integer primary key,
    host text not null references hosts(name),
    source text not null,           -- sources/*.py name
    path text not null,             -- POSIX, below the home
    generation integer not null,    -- which archived generation was read
    size integer not null,          -- bytes
    mtime integer,                  -- ms, on the host
    source_version integer not null,
    reads text not null,            -- JSON [[kind, path, fingerprint]]: what the parse depended on
    loaded_at integer,              -- ms
    records integer not null,       -- rows of messages, tool_calls and requests it gave
    problems integer not null,
    error text,                     -- the parser's exception, if it failed; its old rows stay
    tries integer not null default 0,         -- parses of this generation in a row that failed
    unique (host, path)
);

create table projects (
    id integer primary key,
    key text not null unique,       -- repo, else path
    name text not null,
    path text,
    repo text                       -- host/owner/name, credentials stripped
);

create table sessions (
    id integer primary key,
    uid text not null unique,       -- host/source/native id; a second log of the same id adds ~2, ~3 …
    host text not null references hosts(name),
    source text not null,
    native_id text not null,
    log_id integer not null references logs(id),
    project_id integer references projects(id),
    title text,
    kind text not null,             -- main, subagent, internal, probe
    agent text,                     -- subagent's type or nickname
    project text,                   -- folder that names the project
    cwd text,
    git_branch text,
    git_repo text,                  -- host/owner/name, as logged, else as the host's checkout says
    logged_repo text,               -- as logged
    version text,                   -- of the tool
    entrypoint text,
    started_at integer,
    ended_at integer,
    active_ms integer,              -- sum of gaps between records of at most 10 minutes
    prompts integer not null default 0,      -- this and the next three: copies left out
    messages integer not null default 0,
    tool_calls integer not null default 0,
    requests integer not null default 0,
    input_tokens integer not null default 0,
    cache_read_tokens integer not null default 0,
    cache_write_tokens integer not null default 0,
    cache_write_1h_tokens integer not null default 0,
    output_tokens integer not null default 0,
    reasoning_tokens integer not null default 0,
    cost_nanousd integer,           -- of the priced requests; NULL if none is priced
    unpriced_requests integer not null default 0,
    models text,                    -- distinct, by first use, comma separated
    copy_of integer references sessions(id),  -- the same native id in an earlier log
    partial integer not null default 0,       -- known only from sightings in another session's log
    hidden integer not null default 0,        -- partial, and another log tells all of it
    derived integer not null default 0,       -- a fork or a continuation
    unique (log_id, native_id)
);

create table messages (
    id integer primary key,         -- seconds since 2020 << 12 | counter: rises with time
    session_id integer not null references sessions(id),
    seq integer not null,           -- order within the session, shared with tool_calls
    native_id text,
    parent_native_id text,
    role text not null,
    kind text not null,
    ts integer,
    model text,
    request text,                   -- native id of the request that produced it
    abandoned integer not null,     -- 1: rewound or rolled back
    identity integer not null,      -- 63-bit hash; equal for sightings of one record
    copy_of integer references messages(id),
    log_id integer not null,
    offset integer,                 -- bytes, of the raw record in the log
    length integer,                 -- bytes
    attachments text,               -- JSON, without the data
    text text                       -- last: what stands behind a long text is slow to reach
);

create table tool_calls (
    id integer primary key,         -- as messages.id
    session_id integer not null references sessions(id),
    message_id integer references messages(id),
    seq integer not null,
    native_id text,
    name text not null,
    kind text not null,
    summary text,                   -- one line: command, path, query
    output_bytes integer,           -- of the whole output
    status text not null,
    exit_code integer,
    ts integer,
    duration_ms integer,
    lines_added integer,
    lines_removed integer,
    request text,
    abandoned integer not null,
    identity integer not null,
    copy_of integer references tool_calls(id),
    log_id integer not null,
    offset integer,
    length integer,
    result_offset integer,
    result_length integer,
    input text,                     -- JSON
    output text                     -- over 256 KiB: head and tail
);

create table file_touches (
    id integer primary key,
    session_id integer not null references sessions(id),
    tool_call_id integer not null references tool_calls(id),
    path text not null,
    action text not null,
    lines_added integer,
    lines_removed integer,
    log_id integer not null
);

create table requests (
    id integer primary key,
    session_id integer not null references sessions(id),
    seq integer not null,
    native_id text,
    model text,
    ts integer,
    input_tokens integer,           -- uncached
    cache_read_tokens integer,
    cache_write_tokens integer,     -- 5 minutes
    cache_write_1h_tokens integer,
    output_tokens integer,          -- reasoning included
    reasoning_tokens integer,
    web_searches integer,
    cost_nanousd integer,           -- computed; NULL: unknown price
    reported_nanousd integer,       -- stated by the tool
    price_id integer references prices(id),
    price_rule text,                -- how the model's name was matched
    incomplete integer not null,
    nested integer not null,
    aggregate integer not null,
    tier text,
    geo text,
    provider text,
    identity integer not null,
    copy_of integer references requests(id),
    own text,                       -- JSON: its own usage, where another sighting raised it
    log_id integer not null,
    offset integer,
    length integer
);

create table relations (
    id integer primary key,
    session_id integer not null references sessions(id),   -- comes from target
    kind text not null,             -- subagent, fork, continuation, compaction, copy
    target_id integer references sessions(id),
    target_native_id text not null,
    tool_call_id integer references tool_calls(id),         -- the call that started it
    call_native_id text,
    log_id integer not null references logs(id),
    derived integer not null default 0                      -- 1: found by the loader, from what was copied
);

create table problems (
    id integer primary key,
    log_id integer not null references logs(id),
    line integer,                   -- 1-based
    offset integer,                 -- bytes
    what text not null
);

create table tallies (
    log_id integer not null references logs(id),
    type text not null,             -- record type as the tool names it
    fate text not null,             -- read, skipped, unknown
    n integer not null,
    primary key (log_id, type, fate)
) without rowid;

create table prices (
    id integer primary key,
    model text not null,
    provider text not null,
    valid_from integer,             -- ms; NULL: since ever
    hours text,                     -- JSON [[from, to]] minutes of the UTC day; NULL: all day
    input real,                     -- this and the next: USD per million tokens
    cache_read real,
    cache_write real,
    cache_write_1h real,
    output real,
    web_search real,                -- USD per search
    bands text,                     -- JSON: prices above a prompt size
    source text not null
);

create table runs (
    id integer primary key,
    kind text not null,             -- collect, load, verify, prune, pack
    host text,
    started_at integer not null,
    ended_at integer,
    outcome text,                   -- ok, error, running
    logs_seen integer,
    logs_changed integer,
    bytes integer,                  -- moved (collect) or parsed (load)
    problems integer,
    error text,
    reachable integer,              -- of a collect: 1 it was, 0 it was not; NULL: not known
    transport text,                 -- of a collect: home, ssh, command, s3 …
    tools text,                     -- of a collect: how logs were listed, and the tools found there
    wire integer,                   -- bytes over the network, both ways
    left_logs integer,              -- left for the next collect by the host's limit
    left_bytes integer
);

-- Usage of the requests that are no copies, by hour; every usage view sums this.
create table usage_hours (
    session_id integer not null references sessions(id),
    hour integer not null,          -- ms of the hour's begin, UTC; -1: no time known
    model text not null,            -- '' where the log does not say
    requests integer not null,
    unpriced_requests integer not null,
    incomplete_requests integer not null,
    input_tokens integer not null,
    cache_read_tokens integer not null,
    cache_write_tokens integer not null,
    cache_write_1h_tokens integer not null,
    output_tokens integer not null,
    reasoning_tokens integer not null,
    web_searches integer not null,
    cost_nanousd integer,
    reported_nanousd integer,
    peak_tokens integer,            -- the largest prompt; NULL: its rows sum several requests each
    saved_by_reads_nanousd integer, -- what the cache's tokens would have cost uncached, less what they did
    paid_for_writes_nanousd integer,  -- what writing the cache cost more than plain input
    primary key (session_id, hour, model)
) without rowid;

-- What happened in each hour, copies left out.
create table activity_hours (
    session_id integer not null references sessions(id),
    hour integer not null,
    prompts integer not null,
    replies integer not null,
    tool_calls integer not null,
    tool_errors integer not null,
    active_ms integer not null,     -- gaps of at most 10 minutes between records, in the hour they end in
    commands integer not null,      -- that people typed
    compactions integer not null,
    api_errors integer not null,
    messages integer not null,      -- of all kinds
    primary key (session_id, hour)
) without rowid;

-- Tool calls in each hour, copies left out.
create table tool_hours (
    session_id integer not null references sessions(id),
    hour integer not null,          -- as in usage_hours
    name text not null,
    kind text not null,
    calls integer not null,
    errors integer not null,
    rejections integer not null,
    interruptions integer not null,
    timed_calls integer not null,   -- whose duration the log tells
    duration_ms integer,
    slowest_ms integer,
    output_bytes integer,
    lines_added integer,
    lines_removed integer,
    primary key (session_id, hour, name, kind)
) without rowid;

-- A session's stretches of work: no gap in them is longer than 10 minutes. Copies left out.
create table spans (
    session_id integer not null references sessions(id),
    begin integer not null,         -- ms of its first record
    until integer not null,         -- ms of its last
    primary key (session_id, begin)
) without rowid;

-- Files that a session's calls read or changed, copies left out.
create table session_files (
    session_id integer not null references sessions(id),
    path text not null,
    language text,                  -- that its name tells
    edits integer not null,         -- writes and deletions among them
    reads integer not null,
    lines_added integer,
    lines_removed integer,
    last_ts integer,
    last_edit_ts integer,
    primary key (session_id, path)
) without rowid;

-- Commits in the folders that logs name, of hosts that ask for it (`git: true`).
create table commits (
    id integer primary key,
    host text not null,
    folder text not null,           -- the checkout's top
    sha text not null,
    authored_at integer not null,   -- ms
    branch text,                    -- a branch that holds it
    author text not null,
    subject text not null,
    files integer not null,
    lines_added integer not null,
    lines_removed integer not null,
    unique (host, folder, sha)
);

create table meta (
    key text primary key,
    value text
) without rowid;
