create table project (id text primary key, worktree text not null, vcs text, name text, time_created integer, time_updated integer);
create table workspace (id text primary key, branch text, project_id text);
create table session (id text primary key, project_id text not null, workspace_id text, parent_id text, slug text not null, directory text not null, title text not null, version text not null, share_url text, summary_additions integer, revert text, permission text, time_created integer not null, time_updated integer not null, time_archived integer, cost real, tokens_input integer);
create table message (id text primary key, session_id text not null, time_created integer not null, time_updated integer not null, data text);
create table part (id text primary key, message_id text not null, session_id text not null, time_created integer not null, time_updated integer not null, data text);
create table session_message (id text primary key, session_id text not null, type text not null, data text);
create table event (id text primary key, aggregate_id text not null, seq integer, type text, data text);
create table account (id text primary key, access_token text);
create index message_session_idx on message (session_id);
create index part_session_idx on part (session_id);

insert into project values ('1111', '/home/ada/tide', 'git', null, 1776000000000, 1776000000000);
insert into workspace values ('wrk_1', 'springs', '1111');
insert into account values ('a', 'never read');
insert into session values ('ses_27830befffff01AAAAAAAAAAAA', '1111', 'wrk_1', null, 'calm-owl', '/home/ada/tide/web', 'Tide table', '1.4.3', 'https://opncd.ai/never-read', 1, '{"messageID":"msg_d87d9ef60001rrrrrrrrrrrrrr","partID":"prt_d87d9ef60003rrrrrrrrrrrrrr"}', null, 1776100000000, 1776100710000, null, 0, 0);
insert into message values ('msg_d87cf4100001aaaaaaaaaaaaaa', 'ses_27830befffff01AAAAAAAAAAAA', 1776100000000, 1776100000000, '{"role":"user","time":{"created":1776100000000},"agent":"build","model":{"providerID":"anthropic","modelID":"claude-sonnet-4-6"}}');
insert into part values ('prt_d87cf4100002aaaaaaaaaaaaaa', 'msg_d87cf4100001aaaaaaaaaaaaaa', 'ses_27830befffff01AAAAAAAAAAAA', 1776100000000, 1776100000000, '{"type":"text","text":"Fix the tide table"}');
insert into message values ('msg_d87cf44e8001bbbbbbbbbbbbbb', 'ses_27830befffff01AAAAAAAAAAAA', 1776100001000, 1776100009000, '{"role":"assistant","parentID":"msg_d87cf4100001aaaaaaaaaaaaaa","modelID":"claude-sonnet-4-6","providerID":"anthropic","path":{"cwd":"/home/ada/tide/web","root":"/home/ada/tide"},"cost":0.03,"tokens":{"total":230,"input":20,"output":10,"reasoning":0,"cache":{"read":200,"write":0}},"time":{"created":1776100001000,"completed":1776100009000},"finish":"stop"}');
insert into part values ('prt_d87cf44e8002bbbbbbbbbbbbbb', 'msg_d87cf44e8001bbbbbbbbbbbbbb', 'ses_27830befffff01AAAAAAAAAAAA', 1776100001000, 1776100002000, '{"type":"tool","tool":"task","callID":"toolu_01","state":{"status":"completed","input":{"description":"Look","prompt":"Find zones","subagent_type":"explore"},"output":"none","metadata":{"sessionId":"ses_2782fad8ffff02BBBBBBBBBBBB"},"time":{"start":1776100060000,"end":1776100070900}}}');
insert into part values ('prt_d87cf44e8003bbbbbbbbbbbbbb', 'msg_d87cf44e8001bbbbbbbbbbbbbb', 'ses_27830befffff01AAAAAAAAAAAA', 1776100001000, 1776100002000, '{"type":"step-finish","reason":"tool-calls","cost":0.01,"tokens":{"total":1010,"input":500,"output":10,"reasoning":0,"cache":{"read":0,"write":500}}}');
insert into part values ('prt_d87cf44e8004bbbbbbbbbbbbbb', 'msg_d87cf44e8001bbbbbbbbbbbbbb', 'ses_27830befffff01AAAAAAAAAAAA', 1776100001000, 1776100002000, cast(x'7b2274797065223a2274657874222c2274657874223a224e6f207a6f6e657320ff20666f756e64227d' as text));
insert into part values ('prt_d87cf44e8005bbbbbbbbbbbbbb', 'msg_d87cf44e8001bbbbbbbbbbbbbb', 'ses_27830befffff01AAAAAAAAAAAA', 1776100001000, 1776100002000, '{"type":"step-finish","reason":"stop","cost":0.02,"tokens":{"total":230,"input":20,"output":10,"reasoning":0,"cache":{"read":200,"write":0}}}');
insert into message values ('msg_d87d9ef60001rrrrrrrrrrrrrr', 'ses_27830befffff01AAAAAAAAAAAA', 1776100700000, 1776100700000, '{"role":"user","time":{"created":1776100700000}}');
insert into part values ('prt_d87d9ef60002rrrrrrrrrrrrrr', 'msg_d87d9ef60001rrrrrrrrrrrrrr', 'ses_27830befffff01AAAAAAAAAAAA', 1776100700000, 1776100700000, '{"type":"text","text":"This stays"}');
insert into part values ('prt_d87d9ef60003rrrrrrrrrrrrrr', 'msg_d87d9ef60001rrrrrrrrrrrrrr', 'ses_27830befffff01AAAAAAAAAAAA', 1776100700000, 1776100700000, '{"type":"text","text":"This is undone"}');
-- a child
insert into session values ('ses_2782fad8ffff02BBBBBBBBBBBB', '1111', null, 'ses_27830befffff01AAAAAAAAAAAA', 'x', '/home/ada/tide/web', 'Look (@explore subagent)', '1.4.3', null, 0, null, null, 1776100070000, 1776100070800, null, 0, 0);
insert into message values ('msg_d87d05270001gggggggggggggg', 'ses_2782fad8ffff02BBBBBBBBBBBB', 1776100070000, 1776100070000, '{"role":"user","time":{"created":1776100070000}}');
insert into part values ('prt_d87d05270002gggggggggggggg', 'msg_d87d05270001gggggggggggggg', 'ses_2782fad8ffff02BBBBBBBBBBBB', 1776100070000, 1776100070000, '{"type":"text","text":"Find zones"}');
insert into message values ('msg_d87d05270003gggggggggggggg', 'ses_2782fad8ffff02BBBBBBBBBBBB', 1776100070100, 1776100070100, null);
insert into part values ('prt_d87d05270004gggggggggggggg', 'msg_d87d05270009gggggggggggggg', 'ses_2782fad8ffff02BBBBBBBBBBBB', 1776100070000, 1776100070000, '{"type":"text","text":"I have lost my message"}');
-- two forks of the first session
insert into session values ('ses_27827973ffff03CCCCCCCCCCCC', '1111', null, null, 'y', '/home/ada/tide/web', 'Tide table (fork #1)', '1.4.3', null, 0, null, null, 1776100600000, 1776100602000, null, 0, 0);
insert into message values ('msg_d87d868c0001hhhhhhhhhhhhhh', 'ses_27827973ffff03CCCCCCCCCCCC', 1776100000000, 1776100600000, '{"role":"user","time":{"created":1776100000000},"agent":"build","model":{"providerID":"anthropic","modelID":"claude-sonnet-4-6"}}');
insert into part values ('prt_d87d868c0002hhhhhhhhhhhhhh', 'msg_d87d868c0001hhhhhhhhhhhhhh', 'ses_27827973ffff03CCCCCCCCCCCC', 1776100600000, 1776100600000, '{"type":"text","text":"Fix the tide table"}');
insert into message values ('msg_d87d86ca8001iiiiiiiiiiiiii', 'ses_27827973ffff03CCCCCCCCCCCC', 1776100601000, 1776100601000, '{"role":"user","time":{"created":1776100601000}}');
insert into part values ('prt_d87d86ca8002iiiiiiiiiiiiii', 'msg_d87d86ca8001iiiiiiiiiiiiii', 'ses_27827973ffff03CCCCCCCCCCCC', 1776100601000, 1776100601000, '{"type":"text","text":"Another way"}');
insert into session values ('ses_277f9d07ffff04DDDDDDDDDDDD', '1111', null, null, 'z', '/home/ada/tide/web', 'Tide table (fork #2)', '1.4.3', null, 0, null, null, 1776103600000, 1776103602000, null, 0, 0);
insert into message values ('msg_d88062f80001jjjjjjjjjjjjjj', 'ses_277f9d07ffff04DDDDDDDDDDDD', 1776100000000, 1776103600000, '{"role":"user","time":{"created":1776100000000},"agent":"build","model":{"providerID":"anthropic","modelID":"claude-sonnet-4-6"}}');
insert into part values ('prt_d88062f80002jjjjjjjjjjjjjj', 'msg_d88062f80001jjjjjjjjjjjjjj', 'ses_277f9d07ffff04DDDDDDDDDDDD', 1776103600000, 1776103600000, '{"type":"text","text":"Fix the tide table"}');
insert into message values ('msg_d88062f80003jjjjjjjjjjjjjj', 'ses_277f9d07ffff04DDDDDDDDDDDD', 1776100601000, 1776103600000, '{"role":"user","time":{"created":1776100601000}}');
insert into part values ('prt_d88062f80004jjjjjjjjjjjjjj', 'msg_d88062f80003jjjjjjjjjjjjjj', 'ses_277f9d07ffff04DDDDDDDDDDDD', 1776103600000, 1776103600000, '{"type":"text","text":"Another way"}');
-- mirrors, and a session of which only a newer build's rows are there
insert into session_message values ('smg_1', 'ses_27830befffff01AAAAAAAAAAAA', 'user', '{}');
insert into session_message values ('smg_2', 'ses_277c2ddeffff06FFFFFFFFFFFF', 'user', '{}');
insert into event values ('evt_1', 'ses_27830befffff01AAAAAAAAAAAA', 1, 'message.updated', '{}');
-- wal
insert into message values ('msg_d883d1e00001kkkkkkkkkkkkkk', 'ses_277c2e1fffff05EEEEEEEEEEEE', 1776107200000, 1776107200000, '{"role":"user","time":{"created":1776107200000}}');
insert into part values ('prt_d883d1e00002kkkkkkkkkkkkkk', 'msg_d883d1e00001kkkkkkkkkkkkkk', 'ses_277c2e1fffff05EEEEEEEEEEEE', 1776107200000, 1776107200000, '{"type":"text","text":"My session is lost, and I am not yet checkpointed"}');
