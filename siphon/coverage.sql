-- What was read of each tool's logs, what was left out, and what nobody knew: by the tool's version.

-- The tool's version as a log's sessions state it; 'several' where they differ (stores), NULL: not said.
create view log_versions as
select
    l.id as log_id,
    l.host,
    l.source,
    case when count(distinct s.version) > 1 then 'several' else max(s.version) end as version
from logs l
left join sessions s on s.log_id = l.id and not s.partial
group by l.id;

create view coverage_by_type as
select
    v.source,
    v.version,
    t.type,
    t.fate,                         -- read, skipped (on purpose: the source names why) or unknown
    sum(t.n) as records,
    count(*) as logs
from tallies t
join log_versions v on v.log_id = t.log_id
group by v.source, v.version, t.type, t.fate;

-- Sessions as session_list shows them; requests and those without a price leave copies out.
create view coverage_by_version as
with types as (
    select
        v.source,
        v.version,
        sum(t.n) as records,
        sum(case when t.fate = 'read' then t.n end) as read_records,
        sum(case when t.fate = 'skipped' then t.n end) as skipped_records,
        sum(case when t.fate = 'unknown' then t.n end) as unknown_records,
        count(distinct case when t.fate = 'read' then t.type end) as read_types,
        count(distinct case when t.fate = 'skipped' then t.type end) as skipped_types,
        count(distinct case when t.fate = 'unknown' then t.type end) as unknown_types
    from tallies t
    join log_versions v on v.log_id = t.log_id
    group by v.source, v.version
), told as (
    select
        v.source,
        v.version,
        sum(not s.hidden) as sessions,
        sum(not s.hidden and s.project_id is null) as sessions_without_project,
        sum(not s.hidden and s.models is null) as sessions_without_model,
        sum(not s.hidden and s.started_at is null) as sessions_without_time,
        sum(s.requests) as requests,
        sum(s.unpriced_requests) as requests_without_price
    from sessions s
    join log_versions v on v.log_id = s.log_id
    group by v.source, v.version
)
select
    v.source,
    v.version,
    count(*) as logs,
    sum(l.error is not null) as failed_logs,    -- not read at all
    sum(l.size) as bytes,
    coalesce(t.records, 0) as records,          -- as the logs count them: lines, rows, blocks
    coalesce(t.read_records, 0) as read_records,
    coalesce(t.skipped_records, 0) as skipped_records,
    coalesce(t.unknown_records, 0) as unknown_records,
    coalesce(t.read_types, 0) as read_types,
    coalesce(t.skipped_types, 0) as skipped_types,
    coalesce(t.unknown_types, 0) as unknown_types,
    sum(l.problems) as problems,
    coalesce(s.sessions, 0) as sessions,
    coalesce(s.sessions_without_project, 0) as sessions_without_project,
    coalesce(s.sessions_without_model, 0) as sessions_without_model,
    coalesce(s.sessions_without_time, 0) as sessions_without_time,
    coalesce(s.requests, 0) as requests,
    coalesce(s.requests_without_price, 0) as requests_without_price
from logs l
join log_versions v on v.log_id = l.id
left join types t on t.source = v.source and t.version is v.version
left join told s on s.source = v.source and s.version is v.version
group by v.source, v.version;
