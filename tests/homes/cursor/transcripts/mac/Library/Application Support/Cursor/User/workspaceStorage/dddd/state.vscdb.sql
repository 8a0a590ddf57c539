create table ItemTable (key text unique on conflict replace, value blob);
