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
    place text not null,            -- the file, below the archive
    first_seen integer not null,    -- ms
    changed_at integer not null,    -- ms: when bytes last arrived
    gone_at integer,                -- ms: when it was first missing on the host; NULL: it is there
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
    error text                      -- of the last collect, NULL if it went well
) without rowid;

-- Folders that logs name as their working directory, and the git remote found there.
create table repos (
    host text not null,
    cwd text not null,
    repo text,                      -- host/owner/name; NULL: no such folder, no repository or no remote
    asked_at integer,               -- ms; NULL: not asked yet
    primary key (host, cwd)
) without rowid;

create table runs (
    id integer primary key,
    kind text not null,             -- collect, load, verify
    host text,
    started_at integer not null,
    ended_at integer,
    outcome text not null,          -- ok, error, running
    logs_seen integer,
    logs_changed integer,
    bytes integer,                  -- moved (collect) or parsed (load)
    problems integer,
    error text
);
