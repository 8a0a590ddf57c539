-- What readers ask. A view is a page, a JSON API and a notebook's data frame at once.
-- cost_usd: computed from the tokens, else the tool's own figure; NULL where neither is known.
-- Copies are left out everywhere but in session_list, which shows them and says so.

create view session_list as
select
    s.id,
    s.uid,
    s.host,
    s.source,
    p.name as project,
    coalesce(s.title, s.native_id) as title,
    s.kind,
    s.git_branch,
    s.git_repo,
    s.started_at,
    s.ended_at,
    s.active_ms,
    s.prompts,
    s.messages,
    s.tool_calls,
    s.requests,
    s.input_tokens,
    s.cache_read_tokens,
    s.cache_write_tokens + s.cache_write_1h_tokens as cache_write_tokens,
    s.output_tokens,
    s.cost_nanousd / 1e9 as cost_usd,
    s.models,
    s.version,
    s.cwd,
    s.agent,
    s.copy_of is not null as copy,
    s.project_id
from sessions s
left join projects p on p.id = s.project_id
where not s.hidden;

create view billed_requests as
select
    r.id,
    r.session_id,
    r.seq,
    r.native_id,
    r.model,
    r.ts,
    r.input_tokens,
    r.cache_read_tokens,
    r.cache_write_tokens,
    r.cache_write_1h_tokens,
    r.output_tokens,
    r.reasoning_tokens,
    r.web_searches,
    r.cost_nanousd,
    r.reported_nanousd,
    r.price_id,
    r.price_rule,
    r.incomplete,
    r.nested,
    r.aggregate,
    r.tier,
    r.geo,
    r.provider,
    r.identity,
    r.own,
    r.log_id,
    r.offset,
    r.length,
    s.host,
    s.source,
    p.name as project,
    s.uid as session_uid,
    coalesce(r.cost_nanousd, r.reported_nanousd) / 1e9 as cost_usd
from requests r
join sessions s on s.id = r.session_id
left join projects p on p.id = s.project_id
where r.copy_of is null;

create view usage as
select
    u.*,
    date(case when u.hour < 0 then null else u.hour / 1000 end, 'unixepoch') as day,
    s.uid as session_uid,
    s.host,
    s.source,
    s.project_id,
    p.name as project
from usage_hours u
join sessions s on s.id = u.session_id
left join projects p on p.id = s.project_id;

create view usage_by_day as
select
    day,
    sum(requests) as requests,
    count(distinct session_id) as sessions,
    sum(input_tokens) as input_tokens,
    sum(cache_read_tokens) as cache_read_tokens,
    sum(cache_write_tokens) as cache_write_tokens,
    sum(cache_write_1h_tokens) as cache_write_1h_tokens,
    sum(output_tokens) as output_tokens,
    sum(reasoning_tokens) as reasoning_tokens,
    sum(cost_nanousd) / 1e9 as cost_usd,
    sum(unpriced_requests) as unpriced_requests
from usage
group by day;

create view usage_by_model as
select
    nullif(model, '') as model,
    sum(requests) as requests,
    count(distinct session_id) as sessions,
    sum(input_tokens) as input_tokens,
    sum(cache_read_tokens) as cache_read_tokens,
    sum(cache_write_tokens) as cache_write_tokens,
    sum(cache_write_1h_tokens) as cache_write_1h_tokens,
    sum(output_tokens) as output_tokens,
    sum(reasoning_tokens) as reasoning_tokens,
    sum(cost_nanousd) / 1e9 as cost_usd,
    sum(unpriced_requests) as unpriced_requests
from usage
group by model;

create view usage_by_project as
select
    project,
    project_id,
    sum(requests) as requests,
    count(distinct session_id) as sessions,
    sum(input_tokens) as input_tokens,
    sum(cache_read_tokens) as cache_read_tokens,
    sum(cache_write_tokens) as cache_write_tokens,
    sum(cache_write_1h_tokens) as cache_write_1h_tokens,
    sum(output_tokens) as output_tokens,
    sum(reasoning_tokens) as reasoning_tokens,
    sum(cost_nanousd) / 1e9 as cost_usd,
    sum(unpriced_requests) as unpriced_requests
from usage
group by project_id;

create view usage_by_host as
select
    host,
    sum(requests) as requests,
    count(distinct session_id) as sessions,
    sum(input_tokens) as input_tokens,
    sum(cache_read_tokens) as cache_read_tokens,
    sum(cache_write_tokens) as cache_write_tokens,
    sum(cache_write_1h_tokens) as cache_write_1h_tokens,
    sum(output_tokens) as output_tokens,
    sum(reasoning_tokens) as reasoning_tokens,
    sum(cost_nanousd) / 1e9 as cost_usd,
    sum(unpriced_requests) as unpriced_requests
from usage
group by host;

create view usage_by_source as
select
    source,
    sum(requests) as requests,
    count(distinct session_id) as sessions,
    sum(input_tokens) as input_tokens,
    sum(cache_read_tokens) as cache_read_tokens,
    sum(cache_write_tokens) as cache_write_tokens,
    sum(cache_write_1h_tokens) as cache_write_1h_tokens,
    sum(output_tokens) as output_tokens,
    sum(reasoning_tokens) as reasoning_tokens,
    sum(cost_nanousd) / 1e9 as cost_usd,
    sum(unpriced_requests) as unpriced_requests
from usage
group by source;

create view usage_by_session as
select
    s.uid as session_uid,
    s.host,
    s.source,
    p.name as project,
    coalesce(s.title, s.native_id) as title,
    s.started_at,
    s.requests,
    s.input_tokens,
    s.cache_read_tokens,
    s.cache_write_tokens,
    s.cache_write_1h_tokens,
    s.output_tokens,
    s.reasoning_tokens,
    s.cost_nanousd / 1e9 as cost_usd,
    s.unpriced_requests
from sessions s
left join projects p on p.id = s.project_id
where s.requests > 0;

create view activity_by_hour as
select
    nullif(a.hour, -1) as hour,
    s.host,
    s.source,
    p.name as project,
    sum(a.prompts) as prompts,
    sum(a.replies) as replies,
    sum(a.tool_calls) as tool_calls,
    sum(a.tool_errors) as tool_errors,
    count(distinct a.session_id) as sessions
from activity_hours a
join sessions s on s.id = a.session_id
left join projects p on p.id = s.project_id
group by a.hour, s.host, s.source, s.project_id;

create view tool_usage as
select
    s.source,
    c.name,
    c.kind,
    sum(c.calls) as calls,
    sum(c.errors) as errors,
    sum(c.rejections) as rejections,
    sum(c.interruptions) as interruptions,
    sum(c.duration_ms) as duration_ms,
    sum(c.output_bytes) as output_bytes,
    sum(c.lines_added) as lines_added,
    sum(c.lines_removed) as lines_removed
from tool_hours c
join sessions s on s.id = c.session_id
group by s.source, c.name, c.kind;

create view file_edits as
select
    s.host,
    p.name as project,
    f.path,
    sum(f.edits) as edits,
    sum(f.lines_added) as lines_added,
    sum(f.lines_removed) as lines_removed,
    max(f.last_edit_ts) as last_ts,
    count(*) as sessions
from session_files f
join sessions s on s.id = f.session_id
left join projects p on p.id = s.project_id
where f.edits > 0
group by s.host, s.project_id, f.path;

create view unpriced_models as
select
    r.model,
    s.source,
    count(*) as requests,
    sum(r.input_tokens) as input_tokens,
    sum(r.cache_read_tokens) as cache_read_tokens,
    sum(r.cache_write_tokens) as cache_write_tokens,
    sum(r.cache_write_1h_tokens) as cache_write_1h_tokens,
    sum(r.output_tokens) as output_tokens,
    min(r.ts) as first_ts,
    max(r.ts) as last_ts
from requests r
join sessions s on s.id = r.session_id
where r.copy_of is null and r.cost_nanousd is null
group by r.model, s.source;

create view host_status as
select
    h.name as host,
    h.collected_at,
    h.attempted_at,
    h.error,
    (select count(*) from logs l where l.host = h.name) as logs,
    (select sum(size) from logs l where l.host = h.name) as bytes,
    (select sum(problems) from logs l where l.host = h.name) as problems,
    (select count(*) from logs l where l.host = h.name and l.error is not null) as failed_logs,
    (select count(*) from sessions s where s.host = h.name and not s.hidden) as sessions,
    (select max(ended_at) from sessions s where s.host = h.name) as last_activity_at
from hosts h;

create view session_tree as
select
    s.uid,
    r.kind,
    t.uid as target_uid,
    r.target_native_id,
    c.native_id as call_native_id,
    s.title,
    t.title as target_title,
    s.host,
    s.source
from relations r
join sessions s on s.id = r.session_id
left join sessions t on t.id = r.target_id
left join tool_calls c on c.id = r.tool_call_id
where not s.hidden;

create view problem_list as
select
    l.host,
    l.source,
    l.path,
    p.line,
    p.offset,
    p.what
from problems p
join logs l on l.id = p.log_id;
