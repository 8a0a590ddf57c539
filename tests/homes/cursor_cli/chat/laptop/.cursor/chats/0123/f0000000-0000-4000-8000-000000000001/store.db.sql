create table meta (key text primary key, value text);
create table blobs (id text primary key, data blob);
create table m (n integer, data blob);
insert into m values
 (1, '{"role":"system","id":"1","content":"You are a tide agent"}'),
 (2, '{"role":"user","id":"2","content":[{"type":"text","text":"<user_info>\nOS: linux\n</user_info>"}]}'),
 (3, '{"role":"user","id":"3","content":[{"type":"text","text":"<user_query>\nFix the tides\n</user_query>"}]}'),
 (4, '{"role":"assistant","id":"4","content":[{"type":"reasoning","text":"Zone?"},{"type":"text","text":"I build it."},{"type":"tool-call","toolCallId":"toolu_0123456789abcdefghij","toolName":"Shell","args":{"command":"cargo build"}},{"type":"tool-call","toolCallId":"t2","toolName":"Write","args":{"path":"a.py","contents":"x\ny\n"}},{"type":"redacted-reasoning","data":"AAAA"}]}'),
 (5, '{"role":"tool","id":"5","content":[{"type":"tool-result","toolCallId":"toolu_0123456789abcdefghij","toolName":"Shell","result":{"output":"error: no tide","exitCode":101}}]}'),
 (6, '{"role":"tool","id":"6","content":[{"type":"tool-result","toolCallId":"t2","toolName":"Write","result":"ok"},{"type":"tool-result","toolCallId":"t9","toolName":"Read","result":"of no call"}]}'),
 (7, '{"role":"assistant","id":"7","content":"Done."}'),
 (8, '{"role":"assistant","id":"8","content":"An old branch"}');
insert into blobs select sha256(data), cast(data as blob) from m;
create table t (n integer, data blob);
-- a turn: user message, steps; the root: prompt messages, a state that is no message, turns
insert into t select 1, bytes(field(1, digest(((select data from m where n = 3)))), field(2, digest(((select data from m where n = 4)))), field(2, digest(((select data from m where n = 5)))), field(2, digest(((select data from m where n = 6)))), field(2, (select data from m where n = 7)));
insert into blobs select sha256(data), data from t;
insert into t select 2, bytes(field(1, digest(((select data from m where n = 1)))), field(1, digest(((select data from m where n = 2)))), x'1807', x'290102030405060708', field(5, 'a state'), field(8, digest(((select data from t where n = 1)))));
insert into blobs select sha256(data), data from t where n = 2;
insert into meta select '0', hex('{"agentId":"f0000000-0000-4000-8000-000000000001","name":"New Agent","latestRootBlobId":"' || sha256(data) || '","createdAt":1780308000000,"lastUsedModel":"gpt-5","mode":"default","blobEncryptionKey":"never read"}') from t where n = 2;
drop table m;
drop table t;
