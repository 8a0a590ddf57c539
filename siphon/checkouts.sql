-- git_repo of sessions: as the log says, else as the host's checkout at its folder says.

create temp table repository as
select
    s.id,
    coalesce(s.logged_repo, here.repo, above.repo) as repo
from sessions s
left join temp.repos here on here.host = s.host and here.folder = s.cwd
left join temp.repos above on above.host = s.host and above.folder = s.project;

delete from temp.repository
where exists (select 1 from sessions s where s.id = repository.id and s.git_repo is repository.repo);

insert or ignore into temp.touched_sessions select id from temp.repository;

update sessions
set git_repo = r.repo
from temp.repository r
where r.id = sessions.id;

drop table temp.repository;
