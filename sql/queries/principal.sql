-- The claims of a transaction, and what a principal may learn of itself.

-- name: claims
-- The organisation's kind and committee come from here, never from the token. Who is shut out counts as not known.
-- Every setting is always set: what came before in the same transaction must not speak for an organisation that is not
-- known.
select o.code is not null as known,
       set_config('register.organisation', coalesce(o.code, ''), true),
       set_config('register.collective', coalesce(o.collective, false)::text, true),
       set_config('register.kind', coalesce(o.kind, ''), true),
       set_config('register.committee', coalesce(o.committee, ''), true),
       set_config('register.area', coalesce(o.committee, o.area, ''), true),
       set_config('register.scopes', case when o.code is null then '' else $2 end, true),
       set_config('register.client', $3, true),
       set_config('register.token_id', coalesce($4, ''), true),
       set_config('register.granted', access.granted, true),
       set_config('register.liaison', access.liaison, true),
       set_config('register.offered', case when o.committee is null then '{}'
           else register.offered_to(o.committee) end, true)
from (values ($1::text)) asked (code)
left join register.organisation o on o.code = asked.code and not register.is_excluded(o.code, $3, $4)
cross join register.access_of($1, $3) access;

-- name: get_principal
select json_build_object('code', code, 'name', name, 'kind', kind, 'committee', committee,
    'area', area) as body
from organisation
where code = claim('organisation');
