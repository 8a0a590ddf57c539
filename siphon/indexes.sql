-- Made last on a bulk load. Every foreign key is indexed: a row page counts what points to the row.

create index logs_failed on logs(host) where error is not null;
create index logs_host on logs(host, source, size, problems, error, loaded_at);  -- all that hosts and tools sum up
create index sessions_log on sessions(log_id);
create index sessions_host on sessions(host, source, hidden, ended_at);
create index sessions_native on sessions(source, native_id, hidden);
create index sessions_facets on sessions(hidden, kind, project_id, host, source, git_branch, models);  -- all that facets count
create index sessions_project on sessions(project_id, started_at);
create index sessions_started on sessions(started_at);
create index sessions_ended on sessions(ended_at);
create index sessions_copy on sessions(copy_of) where copy_of is not null;
create index messages_session on messages(session_id, seq, kind, copy_of);  -- which of them a transcript shows
create index messages_identity on messages(identity);
create index messages_copy on messages(copy_of) where copy_of is not null;
create index tool_calls_session on tool_calls(session_id, seq, copy_of);
create index tool_calls_edits on tool_calls(id, session_id, seq, ts) where kind in ('edit', 'write') and copy_of is null;
create index tool_calls_message on tool_calls(message_id) where message_id is not null;
create index tool_calls_identity on tool_calls(identity);
create index tool_calls_copy on tool_calls(copy_of) where copy_of is not null;
create index tool_calls_native on tool_calls(native_id) where native_id is not null;
create index file_touches_session on file_touches(session_id);
create index file_touches_call on file_touches(tool_call_id);
create index file_touches_path on file_touches(path);
create index requests_session on requests(session_id, seq);
create index requests_identity on requests(identity);
create index requests_copy on requests(copy_of) where copy_of is not null;
create index requests_price on requests(price_id);
create index requests_ts on requests(ts);
create index relations_session on relations(session_id);
create index relations_target on relations(target_id);
create index relations_native on relations(target_native_id);
create index relations_call on relations(tool_call_id) where tool_call_id is not null;
create index relations_log on relations(log_id);
create index problems_log on problems(log_id);
create index commits_authored on commits(authored_at);
create index runs_started on runs(started_at);
create index usage_hours_hour on usage_hours(hour);
create index activity_hours_hour on activity_hours(hour);
create index tool_hours_hour on tool_hours(hour);
create index usage_hours_unpriced on usage_hours(unpriced_requests) where unpriced_requests > 0;
