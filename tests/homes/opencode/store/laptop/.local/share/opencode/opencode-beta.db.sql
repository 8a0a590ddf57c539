create table session (id text primary key, directory text, title text, version text, time_created integer, time_updated integer);
create table message (id text primary key, session_id text, data text);
create table part (id text primary key, message_id text, session_id text, data text);
insert into session values ('ses_27609effffff07GGGGGGGGGGGG', 'C:\Users\ada\tide', 'Beta', '1.5.0-beta', 1776107300000, 1776107300000);
insert into message values ('msg_d883ea4a0001mmmmmmmmmmmmmm', 'ses_27609effffff07GGGGGGGGGGGG', '{"role":"user","time":{"created":1776107300000}}');
insert into part values ('prt_d883ea4a0002mmmmmmmmmmmmmm', 'msg_d883ea4a0001mmmmmmmmmmmmmm', 'ses_27609effffff07GGGGGGGGGGGG', '{"type":"text","text":"Old columns, other channel"}');
