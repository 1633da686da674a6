-- What happens by itself when a row changes: its version counts, and the change is recorded.

-- Every change of a row counts its version, whoever makes it.
create or replace function count_version() returns trigger language plpgsql as $$
begin
    new.version := old.version + 1;
    new.updated_at := now();
    return new;
end
$$;

-- The members that differ, each as {before, after}; members that are null on both sides are left out.
create or replace function row_difference(before jsonb, after jsonb) returns jsonb
language sql immutable as $$
    select coalesce(jsonb_object_agg(m, jsonb_build_object('before', before -> m, 'after', after -> m)), '{}')
    from (select distinct jsonb_object_keys(before || after) as m) members
    where coalesce(before -> m, 'null') is distinct from coalesce(after -> m, 'null')
$$;

-- Records the change of a row that belongs to a case, and tells the change feed (012_feed.sql). The trigger's first
-- argument names the subject; the others are members that move on by themselves (a status, a due day): replacing
-- their value is progress, replacing the value of any other member is a correction. Runs as the owner: the service
-- may read the record, never write it.
create or replace function record_change() returns trigger
language plpgsql security definer set search_path = register, pg_temp as $$
declare
    technical constant text[] := '{id,committee,case_id,version,created_at,updated_at,recorded_at,recorded_by,stage_due_or_never}';
    moving text[] := technical || tg_argv[1:];
    old_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
    new_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
    its_case uuid := (case tg_argv[0] when 'case' then new_row ->> 'id' else new_row ->> 'case_id' end)::uuid;
    difference jsonb;
begin
    perform feed_change(tg_argv[0], old_row, new_row);
    difference := case when tg_op <> 'DELETE'
        then row_difference(coalesce(old_row - technical, '{}'), new_row - technical) else '{}' end;
    if difference = '{}' or its_case is null then -- what belongs to no case has no timeline
        return null;
    end if;
    insert into change (committee, case_id, subject, subject_id, kind, changes, recorded_by, recorded_client)
        values (new_row ->> 'committee', its_case, tg_argv[0],
            coalesce(new_row ->> 'id', new_row ->> 'case_id')::uuid,
            case when tg_op = 'INSERT' then 'created'
                when exists (select from jsonb_each(difference - moving) d
                    where coalesce(d.value -> 'before', 'null') <> 'null') then 'corrected'
                else 'changed' end,
            difference, coalesce(nullif(claim('organisation'), ''), 'register'),
            coalesce(nullif(claim('client'), ''), 'register'));
    return null;
end
$$;

-- Gives a table its triggers: record_changes_of('finding', 'finding') or, with members that move by themselves,
-- record_changes_of('report', 'report', 'ratified_on', …). Called beside the functions of the resource.
create or replace function record_changes_of(table_name text, subject text, variadic moving text[] default '{}')
returns void language plpgsql as $$
begin
    perform count_versions_of(table_name);
    execute format('drop trigger if exists record_change on %I', table_name);
    execute format('create trigger record_change after insert or update or delete on %I for each row
        execute function record_change(%s)', table_name,
        (select string_agg(quote_literal(word), ', ' order by n)
         from unnest(array[subject] || moving) with ordinality u(word, n)));
end
$$;

create or replace function count_versions_of(table_name text) returns void language plpgsql as $$
begin
    execute format('drop trigger if exists count_version on %I', table_name);
    execute format('create trigger count_version before update on %I
        for each row execute function count_version()', table_name);
end
$$;

do $$
begin
    perform count_versions_of('referral');
    perform record_changes_of('review_case', 'case', 'stage', 'stage_entered_on', 'stage_due_on',
        'original_due_on', 'revised_due_on', 'held_since', 'clock_stopped',
        'earliest_referral_received_on', 'closed_on', 'closure', 'decision_outcome', 'legal_hold',
        'legal_hold_reason', 'merged_into');
    perform record_changes_of('child', 'child', 'national_hub_submitted_on');
    perform record_changes_of('case_stage', 'stage', 'left_on', 'due_on', 'revised_due_on',
        'held_since', 'delay_reasons');
    perform record_changes_of('case_access', 'access', 'ended_on');
end
$$;
