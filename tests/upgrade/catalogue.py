"""Reads a database's catalogues of the register's schemas: {kind: {name: definition}}, without values that depend on
the order of creation (object identifiers, positions of columns)."""

QUERIES = {
    "tables": """
        select c.relname, jsonb_build_object('kind', c.relkind, 'owner', c.relowner::regrole, 'rls', c.relrowsecurity,
            'forced', c.relforcerowsecurity, 'options', c.reloptions, 'persistence', c.relpersistence)
        from pg_class c where c.relnamespace::regnamespace::text ~ '^register'""",
    "columns": """
        select c.relname || '.' || a.attname, jsonb_build_object('type', format_type(a.atttypid, a.atttypmod),
            'not null', a.attnotnull, 'identity', a.attidentity, 'generated', a.attgenerated,
            'collation', a.attcollation::regcollation, 'storage', a.attstorage, 'acl', a.attacl,
            'default', pg_get_expr(d.adbin, d.adrelid))
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
        where c.relnamespace::regnamespace::text ~ '^register' and c.relkind in ('r', 'p', 'v', 'm', 'c')""",
    "constraints": """
        select coalesce(c.conrelid::regclass::text, c.contypid::regtype::text) || ' ' || c.conname,
            to_jsonb(pg_get_constraintdef(c.oid)) || to_jsonb(c.convalidated)
        from pg_constraint c where c.connamespace::regnamespace::text ~ '^register'""",
    "indexes": """
        select c.relname, jsonb_build_array(pg_get_indexdef(c.oid), i.indisvalid, i.indisunique, i.indisreplident)
        from pg_index i join pg_class c on c.oid = i.indexrelid where c.relnamespace::regnamespace::text ~ '^register'""",
    "sequences": """
        select s.sequencename, to_jsonb(s) - 'last_value' from pg_sequences s where s.schemaname = 'register'""",
    "functions": """
        select p.oid::regprocedure::text, jsonb_build_array(case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end,
            p.proowner::regrole, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid))
        from pg_proc p where p.pronamespace::regnamespace::text ~ '^register'""",
    "types": """
        select t.typname, jsonb_build_array(t.typtype, t.typowner::regrole, t.typacl)
        from pg_type t where t.typnamespace::regnamespace::text ~ '^register'""",
    "triggers": """
        select t.tgrelid::regclass || ' ' || t.tgname, jsonb_build_array(pg_get_triggerdef(t.oid), t.tgenabled)
        from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where c.relnamespace::regnamespace::text ~ '^register' and not t.tgisinternal""",
    "policies": """
        select p.tablename || ' ' || p.policyname, to_jsonb(p) from pg_policies p where p.schemaname = 'register'""",
    "rules": """
        select r.tablename || ' ' || r.rulename, to_jsonb(r.definition) from pg_rules r where r.schemaname = 'register'""",
    "comments": """
        select pg_describe_object(d.classoid, d.objoid, d.objsubid), to_jsonb(d.description) from pg_description d
        where pg_describe_object(d.classoid, d.objoid, d.objsubid) ~ '\\mregister(_[0-9a-f]{12})?\\.'
            or d.classoid = 'pg_namespace'::regclass and d.objoid::regnamespace::text ~ '^register'""",
    "privileges": """
        select kind || ' ' || name, (select jsonb_agg(x.grantee::regrole || ' ' || x.privilege_type || ' ' || x.is_grantable
                || ' ' || x.grantor::regrole order by x.grantee::regrole::text, x.privilege_type) from aclexplode(acl) x)
        from (select 'relation' as kind, c.relname::text as name, coalesce(c.relacl, acldefault('r', c.relowner)) as acl
                from pg_class c where c.relnamespace::regnamespace::text ~ '^register' and c.relkind not in ('i', 'I', 'c', 'S')
            union all select 'sequence', c.relname, coalesce(c.relacl, acldefault('s', c.relowner))
                from pg_class c where c.relnamespace::regnamespace::text ~ '^register' and c.relkind = 'S'
            union all select 'function', p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner))
                from pg_proc p where p.pronamespace::regnamespace::text ~ '^register'
            union all select 'schema', n.nspname, n.nspacl from pg_namespace n where n.nspname ~ '^register') all_of_them""",
    "default privileges": """
        select coalesce(d.defaclnamespace::regnamespace::text, '') || ' ' || d.defaclrole::regrole::text || ' ' || d.defaclobjtype::text,
            to_jsonb(d.defaclacl)
        from pg_default_acl d""",
    "roles": """
        select r.rolname, to_jsonb(r) - 'oid' from pg_roles r where r.rolname ~ '^register'""",
}

# Rows that belong to the schema: every register has the same ones.
DATA = ("organisation", "code_list", "code_entry", "stage", "stage_guard", "stage_transition", "feed_subject",
        "state_transition", "state_guard", "state_refusal", "criterion",
        "statistic_table", "committee", "local_authority", "health_board", "bank_holiday", "former_area_code",
        "published_review", "published_figure")


def read(cluster):
    return {kind: dict(cluster.execute(f"set search_path = pg_catalog; {query}")) for kind, query in QUERIES.items()}


def read_data(cluster):
    return {name: sorted(str(row[0]) for row in cluster.execute(f"select to_jsonb(t) from register.{name} t"))
            for name in DATA}


def differences(one, other):
    """Returns one line for each difference between two results of read()."""
    return [f"{kind} {name}: {one[kind].get(name)} | {other[kind].get(name)}"
            for kind in one for name in sorted({*one[kind], *other[kind]})
            if one[kind].get(name) != other[kind].get(name)]
