-- The copy pass for one table, {table}: among the sightings of one record the first one owns it, the
-- others point to it. In temp.touched stand the identities to look at; sessions whose rows changed their
-- standing go to temp.touched_sessions.
-- A copied record keeps its time, so ties are common: a sighting in its own log goes before one nested in
-- another's, a main session before a side chain, an original before what is derived from it, the session
-- that ended first before the one that went on.

create temp table ranked (
    id integer primary key,
    session_id integer,
    copy_of integer,
    owner integer
);

insert into temp.ranked
select
    r.id,
    r.session_id,
    r.copy_of,
    first_value(r.id) over (
        partition by r.identity
        order by
            s.partial,
            {nested},
            r.ts is null,
            r.ts,
            s.kind <> 'main',
            s.derived,
            s.ended_at,
            s.host,
            s.native_id,
            l.path,
            r.seq
    ) as owner
from temp.touched t
cross join {table} r on r.identity = t.identity  -- else SQLite, which cannot know how few were touched, may read all
join sessions s on s.id = r.session_id
join logs l on l.id = s.log_id;

delete from temp.ranked where copy_of is nullif(owner, id);

insert or ignore into temp.touched_sessions select session_id from temp.ranked;

update {table}
set copy_of = nullif(r.owner, r.id)
from temp.ranked r
where r.id = {table}.id;

drop table temp.ranked;
