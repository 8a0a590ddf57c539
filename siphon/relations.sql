-- Where relations lead: the target may have been loaded before or after. Same host first.

create temp table resolved as
select
    r.id,
    coalesce(
        (
            select t.id
            from sessions t
            where t.source = s.source and t.native_id = r.target_native_id and t.host = s.host and t.id <> s.id
            order by t.partial, t.copy_of is not null, t.uid
            limit 1
        ),
        (
            select t.id
            from sessions t
            where t.source = s.source and t.native_id = r.target_native_id and t.id <> s.id
            order by t.partial, t.copy_of is not null, t.host, t.uid
            limit 1
        )
    ) as target
from relations r
join sessions s on s.id = r.session_id
where not r.derived
and (
    r.session_id in temp.touched_sessions
    or r.target_native_id in (select native_id from temp.touched_natives)
);

update relations
set target_id = v.target,
    tool_call_id = coalesce(
        (
            select c.id
            from tool_calls c
            where c.native_id = relations.call_native_id and c.session_id = v.target
            order by c.seq
            limit 1
        ),
        (
            select c.id
            from tool_calls c
            where c.native_id = relations.call_native_id and c.copy_of is null
            order by c.id
            limit 1
        )
    )
from temp.resolved v
where v.id = relations.id;

drop table temp.resolved;

-- A session that begins with another's messages and names no parent was resumed from it into a new log.
delete from relations
where derived and kind = 'continuation' and session_id in temp.touched_sessions;

insert into relations (session_id, kind, target_id, target_native_id, log_id, derived)
select distinct s.id, 'continuation', t.id, t.native_id, s.log_id, 1
from messages m
join messages o on o.id = m.copy_of
join sessions s on s.id = m.session_id
join sessions t on t.id = o.session_id
where m.copy_of is not null
and m.session_id in temp.touched_sessions
and s.kind = 'main'
and t.kind = 'main'
and s.copy_of is null
and t.native_id <> s.native_id
and not exists (select 1 from relations r where r.session_id = s.id and r.target_id = t.id)
order by s.uid, t.uid;
