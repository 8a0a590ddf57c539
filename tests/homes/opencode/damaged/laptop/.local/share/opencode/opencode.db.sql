create table project (id text primary key, worktree text not null, vcs text, name text, time_created integer, time_updated integer);
create table workspace (id text primary key, branch text, project_id text);
create table session (id text primary key, project_id text not null, workspace_id text, parent_id text, slug text not null, directory text not null, title text not null, version text not null, share_url text, summary_additions integer, revert text, permission text, time_created integer not null, time_updated integer not null, time_archived integer, cost real, tokens_input integer);
create table message (id text primary key, session_id text not null, time_created integer not null, time_updated integer not null, data text);
create table part (id text primary key, message_id text not null, session_id text not null, time_created integer not null, time_updated integer not null, data text);
create table session_message (id text primary key, session_id text not null, type text not null, data text);
create table event (id text primary key, aggregate_id text not null, seq integer, type text, data text);
create table account (id text primary key, access_token text);
insert into session values ('ses_27830befffff01AAAAAAAAAAAA', '1111', null, null, 'calm-owl', '/home/ada/tide/web', 'Tide table', '1.4.3', null, 1, null, null, 1776100000000, 1776100710000, null, 0, 0);
-- cut 5000
