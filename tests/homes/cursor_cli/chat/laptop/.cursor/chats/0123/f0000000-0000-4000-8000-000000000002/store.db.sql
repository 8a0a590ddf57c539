create table meta (key text primary key, value text);
create table blobs (id text primary key, data blob);
insert into meta values ('0', '{"agentId":"x","latestRootBlobId":"00ff","createdAt":1780308000000}');
