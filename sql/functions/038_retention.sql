-- How long closed cases are kept, and what keeps them longer.

-- The last day on which a closed case is kept as it is; null while it is open.
create or replace function retain_until(c review_case) returns date language plpgsql stable as $$
declare
    kept integer;
begin
    if c.closed_on is null then
        return null;
    end if;
    select r.months into kept from retention_rule r
        where (r.committee = c.committee or r.committee is null) and r.valid_from <= today()
        order by r.committee nulls last, r.valid_from desc
        limit 1;
    return (c.closed_on + make_interval(months => kept))::date;
end
$$;

-- Sets or lifts the legal hold; a closed case can be held too.
create or replace function legal_hold_set(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    c review_case := case_lock(p_id, expected);
    held boolean := (input ->> 'in_force')::boolean;
begin
    perform refuse_faults(
        case when held and input ->> 'reason' is null then
            fault('/reason', 'reason_required', 'has to say why the case is held') end,
        case when not held and input ->> 'reason' is not null then
            fault('/reason', 'only_while_held', 'is for a hold that is in force') end);
    update review_case set legal_hold = held, legal_hold_reason = input ->> 'reason'
        where id = c.id returning * into c;
    return (200, c.version, null, case_document(c, '{}'))::reply;
end
$$;
