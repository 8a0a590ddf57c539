-- The archive's own book, archive/.ledger.db: what lies where, since when, and what its bytes hash to.
-- Times are integer UTC milliseconds. Paths are text (siphon/pathtext.py), POSIX, below the host's home.
-- A file in the archive holds exactly what its row says; bytes beyond `size` are not archived yet.

create table logs (
    id integer primary key,
    host text not null,
    path text not null,
    generation integer not null,    -- the current one; the first is 1
    size integer not null,          -- bytes archived
    mtime integer,                  -- ms, on the host, when it was listed
    stamp text,                     -- size, time and inode as listed; NULL: the next collect compares contents
    sha256 text not null,           -- of the archived bytes, hex
    place text not null,            -- the file, below the archive; '' when pruned
    first_seen integer not null,    -- ms
    changed_at integer not null,    -- ms: when bytes last arrived
    gone_at integer,                -- ms: when it was first missing on the host; NULL: it is there
    last_seen integer,              -- ms: the last collect that saw it; NULL: as its host was last collected
    packed_size integer,            -- bytes of the file, where it is packed (siphon/packs.py); else NULL
    packed_sha256 text,             -- of that file, hex
    pruned_at integer,              -- ms: when its bytes were deleted on demand; NULL: they are here
    unique (host, path)
);

-- Generations that a newer one has replaced; never changed again.
create table generations (
    log_id integer not null references logs(id),
    generation integer not null,
    size integer not null,
    mtime integer,
    sha256 text not null,
    place text not null,
    replaced_at integer not null,   -- ms
    stamp text,                     -- this and the next three as in logs
    packed_size integer,
    packed_sha256 text,
    pruned_at integer,
    primary key (log_id, generation)
) without rowid;

-- Each piece that arrived: a generation is the chain of its segments.
create table segments (
    log_id integer not null references logs(id),
    generation integer not null,
    start integer not null,         -- bytes
    size integer not null,          -- bytes
    sha256 text not null,           -- of this piece, hex
    arrived_at integer not null,    -- ms
    primary key (log_id, generation, start)
) without rowid;

create table hosts (
    name text primary key,
    collected_at integer,           -- ms: end of the last successful collect
    attempted_at integer not null,  -- ms: end of the last collect, successful or not
    error text,                     -- of the last collect, NULL if it went well
    heard_at integer                -- ms: when it last pushed, be it nothing new; NULL: it does not push
) without rowid;

-- Folders that logs name as their working directory, and the git remote found there.
create table repos (
    host text not null,
    cwd text not null,
    repo text,                      -- host/owner/name; NULL: no such folder, no repository or no remote
    asked_at integer,               -- ms; NULL: not asked yet
    primary key (host, cwd)
) without rowid;

-- How long a host's tool keeps its logs, as its settings said when they were last read (siphon/retention.py).
create table retention (
    host text not null,
    source text not null,
    days real,                      -- NULL: for good
    setting text,                   -- where that is said
    read_at integer,                -- ms
    waiting integer,                -- logs there that the last collect left behind, in whole or in part
    waiting_oldest integer,         -- ms: the oldest change of those
    primary key (host, source)
) without rowid;

create table runs (
    id integer primary key,
    kind text not null,             -- collect, load, verify, prune, pack
    host text,
    started_at integer not null,
    ended_at integer,
    outcome text not null,          -- ok, error, running
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
