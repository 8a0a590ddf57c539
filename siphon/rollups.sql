-- Totals of the sessions in temp.touched_sessions. Copies are left out of every sum.

delete from usage_hours where session_id in temp.touched_sessions;

insert into usage_hours
select
    r.session_id,
    case when r.ts is null then -1 else r.ts - r.ts % 3600000 end,
    coalesce(r.model, ''),
    count(*),
    sum(r.cost_nanousd is null and r.reported_nanousd is null),
    sum(r.incomplete),
    sum(coalesce(r.input_tokens, 0)),
    sum(coalesce(r.cache_read_tokens, 0)),
    sum(coalesce(r.cache_write_tokens, 0)),
    sum(coalesce(r.cache_write_1h_tokens, 0)),
    sum(coalesce(r.output_tokens, 0)),
    sum(coalesce(r.reasoning_tokens, 0)),
    sum(coalesce(r.web_searches, 0)),
    sum(coalesce(r.cost_nanousd, r.reported_nanousd)),
    sum(r.reported_nanousd)
from temp.touched_sessions t
join requests r on r.session_id = t.id
where r.copy_of is null
group by 1, 2, 3;

delete from activity_hours where session_id in temp.touched_sessions;

insert into activity_hours
select session_id, hour, sum(prompt), sum(reply), sum(call), sum(failed)
from (
    select
        m.session_id,
        case when m.ts is null then -1 else m.ts - m.ts % 3600000 end as hour,
        m.kind = 'prompt' as prompt,
        m.kind = 'reply' as reply,
        0 as call,
        0 as failed
    from temp.touched_sessions t
    join messages m on m.session_id = t.id
    where m.copy_of is null
    union all
    select
        c.session_id,
        case when c.ts is null then -1 else c.ts - c.ts % 3600000 end,
        0,
        0,
        1,
        c.status = 'error'
    from temp.touched_sessions t
    join tool_calls c on c.session_id = t.id
    where c.copy_of is null
)
group by 1, 2;

create temp table gaps as
select session_id, sum(gap) as active_ms
from (
    select session_id, ts - lag(ts) over (partition by session_id order by ts) as gap
    from (
        select m.session_id, m.ts
        from temp.touched_sessions t
        join messages m on m.session_id = t.id
        where m.copy_of is null and m.ts is not null
        union all
        select c.session_id, c.ts
        from temp.touched_sessions t
        join tool_calls c on c.session_id = t.id
        where c.copy_of is null and c.ts is not null
    )
)
where gap between 1 and 600000
group by session_id;

create unique index temp.gaps_session on gaps(session_id);

create temp table totals as
select
    t.id,
    coalesce(m.prompts, 0) as prompts,
    coalesce(m.messages, 0) as messages,
    coalesce(c.tool_calls, 0) as tool_calls,
    coalesce(u.requests, 0) as requests,
    coalesce(u.unpriced_requests, 0) as unpriced_requests,
    coalesce(u.input_tokens, 0) as input_tokens,
    coalesce(u.cache_read_tokens, 0) as cache_read_tokens,
    coalesce(u.cache_write_tokens, 0) as cache_write_tokens,
    coalesce(u.cache_write_1h_tokens, 0) as cache_write_1h_tokens,
    coalesce(u.output_tokens, 0) as output_tokens,
    coalesce(u.reasoning_tokens, 0) as reasoning_tokens,
    u.cost_nanousd
from temp.touched_sessions t
left join (
    select session_id, sum(m.kind = 'prompt') as prompts, count(*) as messages
    from temp.touched_sessions t
    join messages m on m.session_id = t.id
    where m.copy_of is null
    group by 1
) m on m.session_id = t.id
left join (
    select session_id, count(*) as tool_calls
    from temp.touched_sessions t
    join tool_calls c on c.session_id = t.id
    where c.copy_of is null
    group by 1
) c on c.session_id = t.id
left join (
    select
        session_id,
        sum(requests) as requests,
        sum(unpriced_requests) as unpriced_requests,
        sum(input_tokens) as input_tokens,
        sum(cache_read_tokens) as cache_read_tokens,
        sum(cache_write_tokens) as cache_write_tokens,
        sum(cache_write_1h_tokens) as cache_write_1h_tokens,
        sum(output_tokens) as output_tokens,
        sum(reasoning_tokens) as reasoning_tokens,
        sum(cost_nanousd) as cost_nanousd
    from temp.touched_sessions t
    join usage_hours u on u.session_id = t.id
    group by 1
) u on u.session_id = t.id;

update sessions
set prompts = v.prompts,
    messages = v.messages,
    tool_calls = v.tool_calls,
    requests = v.requests,
    unpriced_requests = v.unpriced_requests,
    input_tokens = v.input_tokens,
    cache_read_tokens = v.cache_read_tokens,
    cache_write_tokens = v.cache_write_tokens,
    cache_write_1h_tokens = v.cache_write_1h_tokens,
    output_tokens = v.output_tokens,
    reasoning_tokens = v.reasoning_tokens,
    cost_nanousd = v.cost_nanousd,
    hidden = (
        sessions.partial
        and sessions.copy_of is not null
        and v.messages = 0 and v.tool_calls = 0 and v.requests = 0
    ),
    active_ms = (select active_ms from temp.gaps where gaps.session_id = sessions.id),
    models = (
        select group_concat(model, ', ')
        from (
            select model
            from requests r
            where r.session_id = sessions.id and r.copy_of is null and r.model is not null
            group by model
            order by min(seq), model
        )
    )
from temp.totals v
where v.id = sessions.id;

drop table temp.gaps;

drop table temp.totals;
