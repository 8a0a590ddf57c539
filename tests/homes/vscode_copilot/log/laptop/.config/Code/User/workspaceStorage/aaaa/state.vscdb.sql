create table ItemTable (key text unique on conflict replace, value blob);
insert into ItemTable values ('chat.ChatSessionStore.index', '{"version":1,"entries":{"5b1e0000-0000-4000-8000-000000000001":{"sessionId":"5b1e0000-0000-4000-8000-000000000001","title":"Tides, as the index calls it","lastMessageDate":1770000009000}}}');
insert into ItemTable values ('interactive.sessions', '[]');
