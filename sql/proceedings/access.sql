select open_case_part('proceeding', array['proceedings.write']);
select open_case_part('case_hold', array['proceedings.write']);

-- Of a case that is shared with them for its proceedings, liaison organisations see and change nothing but those.
create policy service_liaison_read on proceeding for select to register_service using (
    case_id = any ((select liaison_cases())::uuid[])
    and (select has_any_scope('proceedings.read', 'proceedings.write')));
create policy service_liaison_update on proceeding for update to register_service using (
    case_id = any ((select liaison_cases())::uuid[]) and (select has_scope('proceedings.write')));
