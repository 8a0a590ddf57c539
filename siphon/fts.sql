-- Full text. External content: the words are indexed here, the text stays in its table.
-- Copies are left out, as search leaves them out: what a hundred resumed logs repeat is indexed once.
-- A tool call's input is JSON: as it stands, the escapes \n, \r and \t would stick to the words after
-- them, so they are indexed as white space. (json_tree would give the values alone, but FTS5 reads its
-- content with virtual tables forbidden.)

create view messages_text as
select id, text from messages where copy_of is null;

create view tool_calls_text as
select
    id,
    name,
    replace(replace(replace(input, '\n', char(10)), '\t', char(9)), '\r', char(13)) as input,
    output
from tool_calls
where copy_of is null;

create virtual table messages_fts using fts5(
    text,
    content="messages_text", content_rowid="id",
    tokenize="unicode61 remove_diacritics 0"
);

create virtual table tool_calls_fts using fts5(
    input, output,
    content="tool_calls_text", content_rowid="id",
    tokenize="unicode61 remove_diacritics 0"
);

create trigger messages_in after insert on messages
when new.copy_of is null
begin
    insert into messages_fts(rowid, text) values (new.id, new.text);
end;

create trigger messages_out after delete on messages
when old.copy_of is null
begin
    insert into messages_fts(messages_fts, rowid, text) values ('delete', old.id, old.text);
end;

create trigger messages_new after update of text, copy_of on messages
when new.text is not old.text or (new.copy_of is null) <> (old.copy_of is null)
begin
    insert into messages_fts(messages_fts, rowid, text)
    select 'delete', old.id, old.text where old.copy_of is null;

    insert into messages_fts(rowid, text)
    select new.id, new.text where new.copy_of is null;
end;

create trigger tool_calls_in after insert on tool_calls
when new.copy_of is null
begin
    insert into tool_calls_fts(rowid, input, output) values (
        new.id,
        replace(replace(replace(new.input, '\n', char(10)), '\t', char(9)), '\r', char(13)),
        new.output
    );
end;

create trigger tool_calls_out after delete on tool_calls
when old.copy_of is null
begin
    insert into tool_calls_fts(tool_calls_fts, rowid, input, output) values (
        'delete',
        old.id,
        replace(replace(replace(old.input, '\n', char(10)), '\t', char(9)), '\r', char(13)),
        old.output
    );
end;

create trigger tool_calls_new after update of input, output, copy_of on tool_calls
when new.input is not old.input or new.output is not old.output
    or (new.copy_of is null) <> (old.copy_of is null)
begin
    insert into tool_calls_fts(tool_calls_fts, rowid, input, output)
    select
        'delete',
        old.id,
        replace(replace(replace(old.input, '\n', char(10)), '\t', char(9)), '\r', char(13)),
        old.output
    where old.copy_of is null;

    insert into tool_calls_fts(rowid, input, output)
    select
        new.id,
        replace(replace(replace(new.input, '\n', char(10)), '\t', char(9)), '\r', char(13)),
        new.output
    where new.copy_of is null;
end;
