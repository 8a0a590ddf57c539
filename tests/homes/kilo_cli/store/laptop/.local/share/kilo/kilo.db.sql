create table project (id text primary key, worktree text not null);
create table session (id text primary key, project_id text not null, parent_id text, directory text not null, title text not null, version text not null, time_created integer not null, time_updated integer not null);
create table message (id text primary key, session_id text not null, time_created integer not null, data text);
create table part (id text primary key, message_id text not null, session_id text not null, data text);
insert into project values ('global', '/');
insert into session values ('ses_27830befffff01AAAAAAAAAAAA', 'global', null, '/home/ada/tide', 'Tides in Kilo', '7.0.1', 1776100000000, 1776100009000);
insert into message values ('msg_d87cf4100001aaaaaaaaaaaaaa', 'ses_27830befffff01AAAAAAAAAAAA', 1776100000000, '{"role":"user","time":{"created":1776100000000}}');
insert into part values ('prt_d87cf4100002aaaaaaaaaaaaaa', 'msg_d87cf4100001aaaaaaaaaaaaaa', 'ses_27830befffff01AAAAAAAAAAAA', '{"type":"text","text":"Fix the tide table"}');
