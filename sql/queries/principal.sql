-- The claims of a transaction, and what a principal may learn of itself.

-- name: claims
-- The organisation's kind and committee come from here, never from the token. No row: it is not known.
select set_config('register.organisation', o.code, true),
       set_config('register.kind', o.kind, true),
       set_config('register.committee', coalesce(o.committee, ''), true),
       set_config('register.scopes', $2, true),
       set_config('register.client', $3, true)
from register.organisation o
where o.code = $1;

-- name: get_principal
select json_build_object('code', code, 'name', name, 'kind', kind, 'committee', committee) as body
from organisation
where code = claim('organisation');
