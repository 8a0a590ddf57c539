create table ItemTable (key text unique on conflict replace, value blob);
insert into ItemTable values ('composer.composerData', '{"allComposers":[{"composerId":"c0000000-0000-4000-8000-00000000000d","name":"x"}],"selectedComposerId":"c0000000-0000-4000-8000-00000000000d"}');
