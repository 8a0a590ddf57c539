-- Where relations lead: the target may have been loaded before or after. Same host first.

create temp table resolved as
select
    r.id,
    (
        select t.id
        from sessions t
        where t.source = s.source and t.native_id = r.target_native_id and t.id <> s.id
        order by t.host <> s.host, t.hidden, t.host, t.uid
        limit 1
    ) as target
from relations r
join sessions s on s.id = r.session_id
where r.kind <> 'copy'
and (
    r.session_id in temp.touched_sessions
    or r.target_native_id in (select native_id from temp.touched_natives)
);

update relations
set target_id = v.target,
    tool_call_id = (
        select c.id
        from tool_calls c
        where c.native_id = relations.call_native_id
        order by c.session_id is not v.target, c.copy_of is not null, c.id
        limit 1
    )
from temp.resolved v
where v.id = relations.id;

drop table temp.resolved;
