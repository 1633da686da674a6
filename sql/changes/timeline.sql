-- The changes to a case, in the order in which they were recorded.

-- Returns the changed members that the caller may see. Without the scope children.read, a child's references and age in
-- years are left out.
create function visible_changes(c change) returns json language plpgsql stable as $$
begin
    return (select coalesce(json_agg(json_build_object('member', d.key, 'before', d.value -> 'before',
                'after', d.value -> 'after') order by d.key), '[]')
            from jsonb_each(c.changes) d
            where c.subject <> 'child' or has_scope('children.read')
                or d.key not in ('child_ref', 'family_ref', 'age_years'));
end
$$;

-- The document of one change to a case.
create function timeline_document(c change) returns json language sql stable as $$
    select json_build_object(
        'id', c.id::text,
        'subject', c.subject,
        'subject_id', c.subject_id,
        'kind', c.kind,
        'changes', visible_changes(c),
        'recorded_at', rendered(c.recorded_at),
        'recorded_by', c.recorded_by,
        'client_id', c.recorded_client)
$$;
