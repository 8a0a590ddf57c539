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
    sum(r.reported_nanousd),
    max(
        case when not r.aggregate then
            coalesce(r.input_tokens, 0) + coalesce(r.cache_read_tokens, 0)
            + coalesce(r.cache_write_tokens, 0) + coalesce(r.cache_write_1h_tokens, 0)
        end
    ),
    cast(round(sum(coalesce(r.cache_read_tokens, 0) * (q.input - q.cache_read)) * 1000) as integer),
    cast(round(sum(
        coalesce(r.cache_write_tokens, 0) * (coalesce(q.cache_write, q.input) - q.input)
        + coalesce(r.cache_write_1h_tokens, 0) * (coalesce(q.cache_write_1h, q.input) - q.input)
    ) * 1000) as integer)
from temp.touched_sessions t
join requests r on r.session_id = t.id
left join prices q on q.id = r.price_id
where r.copy_of is null
group by 1, 2, 3;

-- Every moment of the sessions, with the moment before it.
create temp table moments as
select
    session_id,
    ts,
    lag(ts) over (partition by session_id order by ts) as before,
    kind,
    status
from (
    select m.session_id, m.ts, m.kind, null as status
    from temp.touched_sessions t
    join messages m on m.session_id = t.id
    where m.copy_of is null
    union all
    select c.session_id, c.ts, null, c.status
    from temp.touched_sessions t
    join tool_calls c on c.session_id = t.id
    where c.copy_of is null
);

delete from activity_hours where session_id in temp.touched_sessions;

insert into activity_hours
select
    session_id,
    case when ts is null then -1 else ts - ts % 3600000 end,
    sum(kind is 'prompt'),
    sum(kind is 'reply'),
    sum(status is not null),
    sum(status is 'error'),
    sum(case when ts - before between 1 and 600000 then ts - before else 0 end),
    sum(kind is 'command'),
    sum(kind is 'summary'),
    sum(kind is 'error'),
    sum(kind is not null)
from temp.moments
group by 1, 2;

delete from spans where session_id in temp.touched_sessions;

-- A stretch begins where the one before it has ended; the last one ends with the session.
insert into spans
select session_id, begin, until
from (
    select session_id, ts as begin, lead(before) over (partition by session_id order by ts) as until
    from (
        select session_id, ts, before
        from temp.moments
        where ts is not null and (before is null or ts - before > 600000)
        union all
        select session_id, 9223372036854775807, max(ts)
        from temp.moments
        where ts is not null
        group by session_id
    )
)
where until is not null;

drop table temp.moments;

delete from tool_hours where session_id in temp.touched_sessions;

insert into tool_hours
select
    c.session_id,
    case when c.ts is null then -1 else c.ts - c.ts % 3600000 end,
    c.name,
    c.kind,
    count(*),
    sum(c.status = 'error'),
    sum(c.status = 'rejected'),
    sum(c.status = 'interrupted'),
    count(c.duration_ms),
    sum(c.duration_ms),
    max(c.duration_ms),
    sum(c.output_bytes),
    sum(c.lines_added),
    sum(c.lines_removed)
from temp.touched_sessions t
join tool_calls c on c.session_id = t.id
where c.copy_of is null
group by 1, 2, 3, 4;

delete from session_files where session_id in temp.touched_sessions;

insert into session_files
with languages(suffix, language) as (
    values
        ('py', 'Python'), ('pyi', 'Python'), ('ipynb', 'Notebook'), ('ts', 'TypeScript'), ('tsx', 'TypeScript'),
        ('mts', 'TypeScript'), ('js', 'JavaScript'), ('jsx', 'JavaScript'), ('mjs', 'JavaScript'),
        ('cjs', 'JavaScript'), ('rs', 'Rust'), ('go', 'Go'), ('java', 'Java'), ('kt', 'Kotlin'), ('kts', 'Kotlin'),
        ('scala', 'Scala'), ('c', 'C'), ('h', 'C'), ('cpp', 'C++'), ('cc', 'C++'), ('cxx', 'C++'), ('hpp', 'C++'),
        ('hh', 'C++'), ('cs', 'C#'), ('fs', 'F#'), ('swift', 'Swift'), ('m', 'Objective-C'), ('mm', 'Objective-C'),
        ('rb', 'Ruby'), ('php', 'PHP'), ('pl', 'Perl'), ('lua', 'Lua'), ('r', 'R'), ('jl', 'Julia'), ('dart', 'Dart'),
        ('ex', 'Elixir'), ('exs', 'Elixir'), ('erl', 'Erlang'), ('hs', 'Haskell'), ('ml', 'OCaml'), ('clj', 'Clojure'),
        ('zig', 'Zig'), ('nim', 'Nim'), ('sol', 'Solidity'), ('sh', 'Shell'), ('bash', 'Shell'), ('zsh', 'Shell'),
        ('fish', 'Shell'), ('ps1', 'PowerShell'), ('sql', 'SQL'), ('html', 'HTML'), ('htm', 'HTML'), ('css', 'CSS'),
        ('scss', 'CSS'), ('less', 'CSS'), ('vue', 'Vue'), ('svelte', 'Svelte'), ('astro', 'Astro'), ('md', 'Markdown'),
        ('mdx', 'Markdown'), ('rst', 'Text'), ('txt', 'Text'), ('tex', 'TeX'), ('json', 'JSON'), ('jsonl', 'JSON'),
        ('yml', 'YAML'), ('yaml', 'YAML'), ('toml', 'TOML'), ('ini', 'INI'), ('cfg', 'INI'), ('xml', 'XML'),
        ('csv', 'CSV'), ('tf', 'Terraform'), ('proto', 'Protobuf'), ('graphql', 'GraphQL'), ('nix', 'Nix'),
        ('cmake', 'CMake'), ('gradle', 'Gradle'), ('glsl', 'Shader'), ('wgsl', 'Shader'), ('gd', 'GDScript')
),
touched as (
    select
        f.session_id,
        f.path,
        sum(f.action in ('edit', 'write', 'delete')) as edits,
        sum(f.action = 'read') as reads,
        sum(f.lines_added) as lines_added,
        sum(f.lines_removed) as lines_removed,
        max(c.ts) as last_ts,
        max(case when f.action in ('edit', 'write', 'delete') then c.ts end) as last_edit_ts
    from temp.touched_sessions t
    join file_touches f on f.session_id = t.id
    join tool_calls c on c.id = f.tool_call_id
    where c.copy_of is null and f.action <> 'search'
    group by 1, 2
)
select
    t.session_id,
    t.path,
    l.language,
    t.edits,
    t.reads,
    t.lines_added,
    t.lines_removed,
    t.last_ts,
    t.last_edit_ts
from touched t
left join languages l
    on instr(t.path, '.') > 0 and l.suffix = lower(replace(t.path, rtrim(t.path, replace(t.path, '.', '')), ''));

create temp table totals as
select
    t.id,
    coalesce(a.prompts, 0) as prompts,
    coalesce(a.messages, 0) as messages,
    coalesce(a.tool_calls, 0) as tool_calls,
    nullif(a.active_ms, 0) as active_ms,
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
    select
        session_id,
        sum(prompts) as prompts,
        sum(messages) as messages,
        sum(tool_calls) as tool_calls,
        sum(active_ms) as active_ms
    from temp.touched_sessions t
    join activity_hours a on a.session_id = t.id
    group by 1
) a on a.session_id = t.id
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
    active_ms = v.active_ms,
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

drop table temp.totals;
