-- The roles of the register: the owner of everything, which cannot log in, and the service, which owns nothing. Runs
-- before each migration; creates only missing roles and schemas.
do $$
begin
    if not exists (select from pg_roles where rolname = 'register_owner') then
        create role register_owner nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'register_service') then
        create role register_service login nosuperuser nobypassrls nocreatedb nocreaterole;
    end if;
    if not pg_has_role(current_user, 'register_owner', 'member') then
        execute format('grant register_owner to %I', current_user);
    end if;
    if not exists (select from pg_namespace where nspname = 'register') then
        create schema register authorization register_owner;
    end if;
    if not has_database_privilege('register_owner', current_database(), 'create') then -- for the schemas of the code
        execute format('grant create on database %I to register_owner', current_database());
    end if;
    if not has_database_privilege('register_owner', current_database(), 'create') then -- the grant was only a warning
        raise exception 'register_owner must be allowed to create schemas: grant create on database % to register_owner',
            quote_ident(current_database()) using errcode = 'insufficient_privilege';
    end if;
end
$$;
