-- Sessions of one native id, from several logs or hosts: their uids, which of them are copies, and
-- whether one is derived (fork, continuation). temp.touched_natives says which ids to look at.

create temp table named as
select
    s.id,
    s.uid,
    s.host || '/' || s.source || '/' || s.native_id || case
        when row_number() over (partition by s.host, s.source, s.native_id order by s.partial, l.path) = 1 then ''
        else '~' || row_number() over (partition by s.host, s.source, s.native_id order by s.partial, l.path)
    end as name,
    first_value(s.id) over (
        partition by s.source, s.native_id
        order by s.partial, s.ended_at is null, s.ended_at, s.host, l.path
    ) as first,
    exists (
        select 1 from relations r where r.session_id = s.id and r.kind in ('fork', 'continuation') and not r.derived
    ) as derived
from temp.touched_natives t
join sessions s on s.source = t.source and s.native_id = t.native_id
join logs l on l.id = s.log_id;

create unique index temp.named_id on named(id);

insert or ignore into temp.touched_sessions
select n.id
from temp.named n
join sessions s on s.id = n.id
where s.uid <> n.name or s.copy_of is not nullif(n.first, n.id) or s.derived <> n.derived;

-- Two steps, since names may change hands and uids are unique.
update sessions set uid = '?' || id where id in (select id from temp.named where uid <> name);

update sessions
set uid = n.name, copy_of = nullif(n.first, n.id), derived = n.derived
from temp.named n
where n.id = sessions.id
and (sessions.uid <> n.name or sessions.copy_of is not nullif(n.first, n.id) or sessions.derived <> n.derived);

delete from relations
where kind = 'copy' and session_id in (select id from temp.named)
and (target_id is null or target_id is not (select nullif(n.first, n.id) from temp.named n where n.id = relations.session_id));

insert into relations (session_id, kind, target_id, target_native_id, log_id, derived)
select s.id, 'copy', s.copy_of, s.native_id, s.log_id, 1
from temp.named n
join sessions s on s.id = n.id
where s.copy_of is not null
and not exists (select 1 from relations r where r.session_id = s.id and r.kind = 'copy')
order by s.id;

drop table temp.named;
