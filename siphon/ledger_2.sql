-- What version 2 of the ledger has beyond version 1.
alter table logs add column last_seen integer;
alter table logs add column packed_size integer;
alter table logs add column packed_sha256 text;
alter table logs add column pruned_at integer;
alter table generations add column stamp text;
alter table generations add column packed_size integer;
alter table generations add column packed_sha256 text;
alter table generations add column pruned_at integer;
create table retention (
    host text not null,
    source text not null,
    days real,
    setting text,
    read_at integer,
    waiting integer,
    waiting_oldest integer,
    primary key (host, source)
) without rowid;
alter table runs add column reachable integer;
alter table runs add column transport text;
alter table runs add column tools text;
alter table runs add column wire integer;
alter table runs add column left_logs integer;
alter table runs add column left_bytes integer;
alter table hosts add column heard_at integer
