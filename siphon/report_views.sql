-- What reports and notebooks ask beyond views.sql. Copies are left out everywhere.
-- hour: UTC ms of its begin, NULL where the log tells no time; the day in any zone follows from it.
-- cost_usd: computed from tokens, else the tool's own figure; NULL where neither is known.

-- Usage as finely as reports cut it; every sum over it is the total.
create view cost_by_hour as
select
    nullif(u.hour, -1) as hour,
    s.host,
    s.source,
    p.name as project,
    s.project_id,
    nullif(u.model, '') as model,
    sum(u.requests) as requests,
    sum(u.unpriced_requests) as unpriced_requests,
    sum(u.incomplete_requests) as incomplete_requests,
    sum(u.input_tokens) as input_tokens,
    sum(u.cache_read_tokens) as cache_read_tokens,
    sum(u.cache_write_tokens) as cache_write_tokens,
    sum(u.cache_write_1h_tokens) as cache_write_1h_tokens,
    sum(u.output_tokens) as output_tokens,
    sum(u.reasoning_tokens) as reasoning_tokens,
    sum(u.web_searches) as web_searches,
    sum(u.cost_nanousd) / 1e9 as cost_usd,
    sum(u.reported_nanousd) / 1e9 as reported_usd
from usage_hours u
join sessions s on s.id = u.session_id
left join projects p on p.id = s.project_id
group by u.hour, s.host, s.source, s.project_id, u.model;

create view models_over_time as
select
    date(hour / 1000, 'unixepoch') as day,     -- UTC
    model,
    source,
    sum(requests) as requests,
    sum(input_tokens + cache_read_tokens + cache_write_tokens + cache_write_1h_tokens) as prompt_tokens,
    sum(output_tokens) as output_tokens,
    sum(cost_usd) as cost_usd,
    sum(unpriced_requests) as unpriced_requests
from cost_by_hour
group by 1, 2, 3;

-- Windows of 5 hours, one row after another and never overlapping, each a tool's over all hosts: it
-- begins with the first hour that has a request and lies in no window before.
create view blocks as
with recursive begins(source, begin) as (
    select s.source, min(u.hour)
    from usage_hours u
    join sessions s on s.id = u.session_id
    where u.hour >= 0
    group by s.source
    union all
    select
        b.source,
        (
            select u.hour
            from usage_hours u
            cross join sessions s on s.id = u.session_id
            where u.hour >= b.begin + 18000000 and s.source = b.source
            order by u.hour
            limit 1
        )
    from begins b
    where b.begin is not null
)
select
    b.source,
    b.begin,                                   -- ms
    b.begin + 18000000 as until,               -- ms, not in it
    max(u.hour) as last_hour,
    count(distinct u.hour) as hours,           -- that have requests
    count(distinct u.session_id) as sessions,
    sum(u.requests) as requests,
    sum(u.unpriced_requests) as unpriced_requests,
    sum(u.input_tokens) as input_tokens,
    sum(u.cache_read_tokens) as cache_read_tokens,
    sum(u.cache_write_tokens) as cache_write_tokens,
    sum(u.cache_write_1h_tokens) as cache_write_1h_tokens,
    sum(u.output_tokens) as output_tokens,
    sum(u.cost_nanousd) / 1e9 as cost_usd,
    -- burn rates: by the hours from the first to the last that has requests
    sum(u.cost_nanousd) / 1e9 / ((max(u.hour) - b.begin) / 3600000 + 1) as cost_usd_per_hour,
    sum(u.input_tokens + u.cache_read_tokens + u.cache_write_tokens + u.cache_write_1h_tokens + u.output_tokens)
        / 60.0 / ((max(u.hour) - b.begin) / 3600000 + 1) as tokens_per_minute
from begins b
cross join usage_hours u on u.hour >= b.begin and u.hour < b.begin + 18000000
cross join sessions s on s.id = u.session_id and s.source = b.source
where b.begin is not null
group by b.source, b.begin;

-- A session's shape: automated where no person typed or a program started it; else by active minutes:
-- quick below 5, standard below 30, deep below 120, marathon from there.
create view session_shapes as
select
    s.uid as session_uid,
    s.host,
    s.source,
    p.name as project,
    s.project_id,
    coalesce(s.title, s.native_id) as title,
    s.started_at,
    s.ended_at,
    case
        when s.kind <> 'main' or s.prompts = 0 then 'automated'
        when s.entrypoint like '%sdk%' or s.entrypoint like '%exec%' or s.entrypoint like '%mcp%' then 'automated'
        when coalesce(s.active_ms, 0) < 300000 then 'quick'
        when s.active_ms < 1800000 then 'standard'
        when s.active_ms < 7200000 then 'deep'
        else 'marathon'
    end as shape,
    s.active_ms,
    s.prompts,
    s.tool_calls,
    s.requests,
    s.cost_nanousd / 1e9 as cost_usd
from sessions s
left join projects p on p.id = s.project_id
where s.copy_of is null and not s.hidden;

create view sessions_by_shape as
select
    shape,
    host,
    source,
    project,
    project_id,
    count(*) as sessions,
    sum(active_ms) as active_ms,
    sum(prompts) as prompts,
    sum(tool_calls) as tool_calls,
    sum(requests) as requests,
    sum(cost_usd) as cost_usd
from session_shapes
group by shape, host, source, project_id;

-- Tool calls as finely as reports cut them. server: of an MCP call, where its name tells.
create view tools_by_hour as
select
    nullif(c.hour, -1) as hour,
    c.host,
    c.source,
    p.name as project,
    c.project_id,
    c.name,
    c.kind,
    case
        when c.kind <> 'mcp' then null
        when c.name like 'mcp\_\_%\_\_%' escape '\' then substr(c.name, 6, instr(substr(c.name, 6), '__') - 1)
        when instr(c.name, '__') > 1 then substr(c.name, 1, instr(c.name, '__') - 1)
    end as server,
    c.calls,
    c.errors,
    c.rejections,
    c.interruptions,
    c.timed_calls,
    c.duration_ms,
    c.output_bytes,
    c.lines_added,
    c.lines_removed
from (
    -- Summed before the projects' names join: the fewer columns are sorted, the faster.
    select
        h.hour,
        h.name,
        s.project_id,
        s.host,
        s.source,
        h.kind,
        sum(h.calls) as calls,
        sum(h.errors) as errors,
        sum(h.rejections) as rejections,
        sum(h.interruptions) as interruptions,
        sum(h.timed_calls) as timed_calls,
        sum(h.duration_ms) as duration_ms,
        sum(h.output_bytes) as output_bytes,
        sum(h.lines_added) as lines_added,
        sum(h.lines_removed) as lines_removed
    from tool_hours h
    join sessions s on s.id = h.session_id
    group by 1, 2, 3, 4, 5, 6
) c
left join projects p on p.id = c.project_id;

create view mcp_usage as
select
    source,
    server,
    name,
    sum(calls) as calls,
    sum(errors) as errors,
    sum(duration_ms) as duration_ms,
    max(hour) as last_hour
from tools_by_hour
where kind = 'mcp'
group by source, server, name;

-- Skills, by the calls that load them.
create view skill_usage as
select
    s.host,
    s.source,
    p.name as project,
    s.project_id,
    json_extract(c.input, '$.skill') as skill,
    count(*) as uses,
    max(c.ts) as last_ts
from (select distinct session_id from tool_hours where lower(name) = 'skill') t
cross join tool_calls c on c.session_id = t.session_id
join sessions s on s.id = c.session_id
left join projects p on p.id = s.project_id
where c.copy_of is null and lower(c.name) = 'skill' and json_valid(c.input)
group by s.host, s.source, s.project_id, 5;

-- Slash commands that people typed.
create view command_usage as
select
    s.host,
    s.source,
    p.name as project,
    s.project_id,
    substr(m.text, 1, instr(m.text || ' ', ' ') - 1) as command,
    count(*) as uses,
    max(m.ts) as last_ts
from (select distinct session_id from activity_hours where commands > 0) t
cross join messages m on m.session_id = t.session_id
join sessions s on s.id = m.session_id
left join projects p on p.id = s.project_id
where m.copy_of is null and m.kind = 'command' and m.text like '/%'
group by s.host, s.source, s.project_id, 5;

create view subagent_usage as
select
    s.host,
    s.source,
    p.name as project,
    s.project_id,
    s.agent,
    count(*) as sessions,
    sum(s.requests) as requests,
    sum(s.tool_calls) as tool_calls,
    sum(s.input_tokens + s.cache_read_tokens + s.cache_write_tokens + s.cache_write_1h_tokens) as prompt_tokens,
    sum(s.output_tokens) as output_tokens,
    sum(s.active_ms) as active_ms,
    sum(s.cost_nanousd) / 1e9 as cost_usd
from sessions s
left join projects p on p.id = s.project_id
where s.kind = 'subagent' and s.copy_of is null and not s.hidden
group by s.host, s.source, s.project_id, s.agent;

-- Files that were changed or read, with the language that their names tell (NULL: none we know).
create view files as
select
    s.host,
    s.source,
    p.name as project,
    s.project_id,
    replace(f.path, '\', '/') as path,
    f.language,
    sum(f.edits) as edits,
    sum(f.reads) as reads,
    sum(f.lines_added) as lines_added,
    sum(f.lines_removed) as lines_removed,
    max(f.last_ts) as last_ts,
    count(*) as sessions
from session_files f
join sessions s on s.id = f.session_id
left join projects p on p.id = s.project_id
group by s.host, s.source, s.project_id, replace(f.path, '\', '/');

create view languages as
select
    s.host,
    s.source,
    p.name as project,
    s.project_id,
    f.language,
    count(distinct replace(f.path, '\', '/')) as files,
    sum(f.edits) as edits,
    sum(f.lines_added) as lines_added,
    sum(f.lines_removed) as lines_removed
from session_files f
join sessions s on s.id = f.session_id
left join projects p on p.id = s.project_id
where f.edits > 0
group by s.host, s.source, s.project_id, f.language;

-- Work: the time between a session's records where no more than 10 minutes lie between two of them; a
-- gap belongs to the hour in which it ends. Sessions that run at once each count.
create view active_time as
select
    a.hour,
    s.host,
    s.source,
    p.name as project,
    s.project_id,
    count(*) as sessions,
    sum(a.active_ms) as active_ms
from activity_hours a
join sessions s on s.id = a.session_id
left join projects p on p.id = s.project_id
where a.hour >= 0
group by a.hour, s.host, s.source, s.project_id;

-- The clock's time in which any session was active: minutes in which three ran are counted once, in the
-- hour that they lie in.
create view busy_time as
with recursive ordered as (
    select
        begin,
        until,
        max(until) over (order by begin, until rows between unbounded preceding and 1 preceding) as covered
    from spans
),
pieces(hour, since, until) as (
    select
        max(begin, coalesce(covered, begin)) - max(begin, coalesce(covered, begin)) % 3600000,
        max(begin, coalesce(covered, begin)),
        until
    from ordered
    where until > coalesce(covered, begin)
    union all
    select hour + 3600000, hour + 3600000, until
    from pieces
    where until > hour + 3600000
)
select hour, sum(sessions) as sessions, sum(busy_ms) as busy_ms
from (
    select hour, 1 as sessions, 0 as busy_ms
    from activity_hours
    where hour >= 0
    union all
    select hour, 0, min(until, hour + 3600000) - since
    from pieces
)
group by hour;

-- What caching did: saved_usd is what the same tokens would have cost uncached, less what they cost, at
-- the prices of their model and time (bands and tiers left aside); NULL where no price is known.
create view cache_economics as
select
    nullif(u.hour, -1) as hour,
    s.host,
    s.source,
    p.name as project,
    s.project_id,
    nullif(u.model, '') as model,
    sum(u.requests) as requests,
    sum(u.input_tokens) as input_tokens,
    sum(u.cache_read_tokens) as cache_read_tokens,
    sum(u.cache_write_tokens) as cache_write_tokens,
    sum(u.cache_write_1h_tokens) as cache_write_1h_tokens,
    sum(u.saved_by_reads_nanousd) / 1e9 as saved_by_reads_usd,
    sum(u.paid_for_writes_nanousd) / 1e9 as paid_for_writes_usd,
    sum(u.saved_by_reads_nanousd - u.paid_for_writes_nanousd) / 1e9 as saved_usd
from usage_hours u
join sessions s on s.id = u.session_id
left join projects p on p.id = s.project_id
group by u.hour, s.host, s.source, s.project_id, u.model;

-- How full the context was: the largest prompt of each session, and how often it was compacted.
create view context_use as
select
    s.uid as session_uid,
    s.host,
    s.source,
    p.name as project,
    s.project_id,
    coalesce(s.title, s.native_id) as title,
    s.started_at,
    u.peak_tokens,
    u.requests,
    coalesce(a.compactions, 0) as compactions
from (
    select session_id, max(peak_tokens) as peak_tokens, sum(requests) as requests
    from usage_hours
    where peak_tokens is not null
    group by session_id
) u
join sessions s on s.id = u.session_id
left join projects p on p.id = s.project_id
left join (
    select session_id, sum(compactions) as compactions
    from activity_hours
    group by session_id
) a on a.session_id = u.session_id;

-- What went wrong. kind: tool error, tool rejected, tool interrupted, api error; what: the tool's kind.
create view errors as
with bad(session_id, hour, kind, what, errors) as (
    select session_id, hour, 'tool error', kind, errors from tool_hours where errors > 0
    union all
    select session_id, hour, 'tool rejected', kind, rejections from tool_hours where rejections > 0
    union all
    select session_id, hour, 'tool interrupted', kind, interruptions from tool_hours where interruptions > 0
    union all
    select session_id, hour, 'api error', null, api_errors from activity_hours where api_errors > 0
)
select
    nullif(b.hour, -1) as hour,
    s.host,
    s.source,
    p.name as project,
    s.project_id,
    b.kind,
    b.what,
    sum(b.errors) as errors
from bad b
join sessions s on s.id = b.session_id
left join projects p on p.id = s.project_id
group by b.hour, s.host, s.source, s.project_id, b.kind, b.what;

-- What came of sessions in git: commits by the session that ran in their checkout when they were made or
-- up to half an hour before, of the same branch before others, of the latest begun. session_uid NULL: made
-- by no session that we know. Each commit once, however many checkouts hold it.
create view git_outcomes as
with told as (
    select
        c.*,
        s.id as session_id,
        row_number() over (
            partition by c.sha
            order by s.id is null, s.git_branch is not c.branch, s.started_at desc, s.id, c.id
        ) as place
    from commits c
    left join sessions s
        on s.started_at between c.authored_at - 604800000 and c.authored_at
        and s.ended_at >= c.authored_at - 1800000
        and s.host = c.host
        and s.kind = 'main'
        and s.copy_of is null
        and not s.hidden
        and substr(coalesce(s.cwd, s.project) || '/', 1, length(c.folder) + 1) = c.folder || '/'
)
select
    s.uid as session_uid,
    t.host,
    s.source,
    p.name as project,
    s.project_id,
    coalesce(s.title, s.native_id) as title,
    s.started_at,
    t.branch,
    count(*) as commits,
    sum(t.files) as files,
    sum(t.lines_added) as lines_added,
    sum(t.lines_removed) as lines_removed,
    min(t.authored_at) as first_ts,
    max(t.authored_at) as last_ts
from told t
left join sessions s on s.id = t.session_id
left join projects p on p.id = s.project_id
where t.place = 1
group by t.host, t.session_id, t.branch;
