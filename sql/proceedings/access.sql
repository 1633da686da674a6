select open_case_part('proceeding', array['proceedings.write']);
select open_case_part('case_hold', array['proceedings.write']);

-- Liaison organisations see and change nothing of a case that is shared with them except its proceedings.
create policy service_liaison_read on proceeding for select to register_service using (
    case_id = any ((select liaison_cases())::uuid[])
    and (select has_any_scope('proceedings.read', 'proceedings.write')));
create policy service_liaison_update on proceeding for update to register_service using (
    case_id = any ((select liaison_cases())::uuid[]) and (select has_scope('proceedings.write')));
