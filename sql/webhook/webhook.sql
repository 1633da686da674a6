-- Webhooks: registering them, and the work of the instances that deliver.
--
-- An instance delivers with the claims of the webhook's organisation, client and scopes, as in a request of that
-- client: row-level security shows it what the client may see at that moment, and nothing else. The scopes are those of
-- the newest token that the client presented. A webhook sends nothing while its client, that token, or the token that
-- set its address is blocked (exclusion). It is paused if its client did not confirm it in time.

-- --- ownership

-- Returns the scopes that are in both lists, with a blank on either side of each.
create function common_scopes(one text, other text) returns text language sql immutable as $$
    select coalesce(' ' || string_agg(s, ' ') || ' ', ' ')
    from unnest(string_to_array(trim(one), ' ')) s where strpos(other, ' ' || s || ' ') > 0
$$;

-- Records scopes, identifier and issue time of the caller's token, if the caller has webhooks. Of tokens issued in the
-- same second, only the scopes common to all count. Runs as the owner: the service cannot write the scopes of another
-- client.
create function webhook_token_seen(p_issued_at bigint) returns void
language plpgsql security definer set search_path from current as $$
begin
    if not exists (select from webhook w where w.organisation = claim('organisation') and w.client = claim('client')) then
        return;
    end if;
    insert into webhook_client as c (organisation, client, scopes, token_id, issued_at)
        values (claim('organisation'), claim('client'), claim('scopes'), claim('token_id'), p_issued_at)
        on conflict (organisation, client) do update
            set scopes = case when excluded.issued_at > c.issued_at then excluded.scopes
                    else common_scopes(c.scopes, excluded.scopes) end,
                token_id = excluded.token_id, issued_at = excluded.issued_at, seen_at = now()
            where excluded.issued_at > c.issued_at
                or excluded.issued_at = c.issued_at and excluded.scopes <> c.scopes;
end
$$;

-- Returns why an enabled webhook sends nothing: client or token blocked, or scopes missing; null if it may send. Runs
-- as the owner, who alone may read what is blocked.
create function webhook_suspension(w webhook) returns text
language plpgsql stable security definer set search_path from current as $$
declare
    c webhook_client;
begin
    select * into c from webhook_client x where x.organisation = w.organisation and x.client = w.client;
    return case
        when is_excluded(w.organisation, w.client, '') then 'client_blocked'
        when is_excluded(w.organisation, w.client, w.token_id) or is_excluded(w.organisation, w.client, c.token_id)
            then 'token_blocked'
        when c.scopes is null or strpos(c.scopes, ' changes.read ') = 0 or strpos(c.scopes, ' webhooks.manage ') = 0
            then 'scopes_missing' end;
end
$$;

-- Whether the claims are those of the newest token of the webhook's client, because another token may arrive in
-- between. Runs as the owner, who alone may read the tokens of other clients.
create function webhook_acts_as_newest(w webhook) returns boolean
language plpgsql stable security definer set search_path from current as $$
begin
    return exists (select from webhook_client c where c.organisation = w.organisation and c.client = w.client
        and c.scopes = claim('scopes') and c.token_id = claim('token_id'));
end
$$;

-- --- operations of clients

-- Returns until when deliveries are also signed with the former secret, 24 hours after rotation; null if it is no
-- longer valid.
create function webhook_old_secret_until(w webhook) returns timestamptz language sql stable as $$
    select case when w.rotated_at + interval '24 hours' > now() then w.rotated_at + interval '24 hours' end
$$;

-- Returns how many deliveries of a webhook wait to be sent.
create function webhook_pending(p_webhook uuid) returns integer language plpgsql stable as $$
begin
    return (select count(*) from webhook_delivery d where d.webhook_id = p_webhook and d.status = 'pending');
end
$$;

-- The document of a webhook, with the reason why it is paused or suspended; never its secret.
create function webhook_document(w webhook) returns json language sql stable as $$
    select json_build_object(
        'id', w.id,
        'url', w.url,
        'types', w.types,
        'status', w.status,
        'paused_because', w.paused_because,
        'suspended_because', webhook_suspension(w),
        'confirm_by', rendered(w.confirm_by),
        'client_id', w.client,
        'secret_generation', w.secret_generation,
        'old_secret_until', rendered(webhook_old_secret_until(w)),
        'pending', webhook_pending(w.id),
        'created_at', rendered(w.created_at),
        'updated_at', rendered(w.updated_at),
        'version', w.version,
        'etag', entity_tag(w.version),
        'links', json_build_object(
            'self', '/v1/webhooks/' || w.id,
            'deliveries', '/v1/webhooks/' || w.id || '/deliveries'))
$$;

-- The document of a delivery: the event's identifier and type, and the result of the last attempt, never its content.
create function webhook_delivery_document(d webhook_delivery) returns json language sql stable as $$
    select json_build_object(
        'id', d.id,
        'event_id', d.number::text,
        'type', d.type,
        'status', d.status,
        'attempts', d.attempts,
        'last_result', d.last_result,
        'last_status', d.last_status,
        'last_attempt_at', rendered(d.last_attempt_at),
        'next_attempt_at', case when d.status = 'pending' then rendered(d.due_at) end,
        'created_at', rendered(d.created_at),
        'finished_at', rendered(d.finished_at),
        'links', json_build_object(
            'self', '/v1/webhooks/' || d.webhook_id || '/deliveries/' || d.id,
            'webhook', '/v1/webhooks/' || d.webhook_id))
$$;

-- Refuses with 409 `webhooks_off` if webhooks are not enabled in this register.
create function refuse_webhooks_off(switched_on boolean) returns void language plpgsql as $$
begin
    if not switched_on then
        perform conflict('webhooks_off', 'Webhooks are not enabled in this register.');
    end if;
end
$$;

-- Refuses with 422 an address in which the service found faults, or types that the change feed does not have.
create function refuse_webhook_faults(target_faults json, types text[]) returns void language plpgsql as $$
begin
    if target_faults is not null then
        perform refuse(422, 'webhook_target_refused', target_faults);
    end if;
    perform refuse_faults(variadic array(
        select fault('/types/' || n - 1, 'unknown_code', 'is not a subject of the change feed')
        from unnest(types) with ordinality u(type, n)
        where not exists (select from feed_subject s where s.subject = split_part(u.type, '.', 1))));
end
$$;

-- Registers a webhook (201). `target_faults`: the faults that the service found in the address, or null. `safe`: the
-- number from which on the webhook gets everything, because no transaction can add events below it. Refuses with 404
-- without both scopes, with 409 if webhooks are off or the organisation has 20, and with 422 a wrong address or type.
create function webhook_create(input jsonb, switched_on boolean, target_faults json, safe bigint,
    confirm_days integer, token_issued_at bigint) returns reply language plpgsql as $$
declare
    most constant integer := 20;
    w webhook := jsonb_populate_record(null::webhook, input);
begin
    perform refuse_unless_found(has_scope('webhooks.manage') and has_scope('changes.read'));
    perform refuse_webhooks_off(switched_on);
    if (select count(*) >= most from webhook x where x.organisation = claim('organisation')) then
        perform conflict('too_many_webhooks', 'The organisation has the maximum number of webhooks. Delete one first.');
    end if;
    perform refuse_webhook_faults(target_faults, w.types);
    w.id := uuid_v7();
    w.organisation := claim('organisation');
    w.client := claim('client');
    w.token_id := claim('token_id');
    w.position := safe;
    w.confirm_by := now() + make_interval(days => confirm_days);
    w := insert_row(w);
    perform webhook_token_seen(token_issued_at);
    return (201, w.version, '/v1/webhooks/' || w.id, webhook_document(w))::reply;
end
$$;

-- Locks and returns a webhook that the caller may see. Refuses with 404 any other, and a stale version as refuse_stale
-- does.
create function webhook_lock(p_id uuid, expected bigint) returns webhook language plpgsql as $$
declare
    w webhook;
begin
    select * into w from webhook x where x.id = p_id for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, w.version);
    return w;
end
$$;

-- Refuses with 409 `not_its_client` a client that did not register the webhook. Other clients of the organisation may
-- pause or delete it, but not decide where it sends and with which secret.
create function refuse_other_client(w webhook) returns void language plpgsql as $$
begin
    if w.client <> claim('client') then
        perform conflict('not_its_client',
            'Only the client that registered the webhook can do this. Others can pause or delete it.');
    end if;
end
$$;

-- Changes a webhook; a change by its client also confirms it. Refuses as webhook_lock does, with 409 another client
-- unless it only pauses the webhook, and with 422 a wrong address or type.
create function webhook_change(p_id uuid, expected bigint, change jsonb, target_faults json,
    confirm_days integer) returns reply language plpgsql as $$
declare
    w webhook := webhook_lock(p_id, expected);
    stops constant boolean := change = '{"status": "paused"}';
begin
    if not stops then
        perform refuse_other_client(w);
    end if;
    w := jsonb_populate_record(w, change);
    perform refuse_webhook_faults(target_faults, w.types);
    update webhook x set url = w.url, types = w.types, status = w.status,
            token_id = case when x.url = w.url then x.token_id else claim('token_id') end,
            confirm_by = case when x.client = claim('client') then now() + make_interval(days => confirm_days)
                else x.confirm_by end,
            paused_because = case when w.status = 'paused' then coalesce(w.paused_because, 'client') end
        where id = p_id returning * into w;
    return (200, w.version, null, webhook_document(w))::reply;
end
$$;

-- Deletes one webhook of the caller's organisation. Runs as the owner: the service may delete nothing itself.
create function webhook_erase(p_id uuid) returns void
language plpgsql security definer set search_path from current as $$
begin
    delete from webhook w where w.id = p_id and w.organisation = claim('organisation')
        and has_scope('webhooks.manage');
end
$$;

-- Deletes a webhook that the caller may see, and returns its last document (200); refuses as webhook_lock does.
create function webhook_delete(p_id uuid) returns reply language plpgsql as $$
declare
    w webhook := webhook_lock(p_id, null);
    last json := webhook_document(w);
begin
    perform webhook_erase(p_id);
    return (200, null, null, last)::reply;
end
$$;

-- Gives a webhook a new secret and confirms it; the former secret remains valid for 24 hours. Refuses with 404, or with
-- 409 for another client or if webhooks are off.
create function webhook_rotate(p_id uuid, switched_on boolean, confirm_days integer) returns reply
language plpgsql as $$
declare
    w webhook := webhook_lock(p_id, null);
begin
    perform refuse_other_client(w);
    perform refuse_webhooks_off(switched_on);
    update webhook set secret_generation = secret_generation + 1, rotated_at = now(),
            confirm_by = now() + make_interval(days => confirm_days)
        where id = p_id returning * into w;
    return (200, w.version, null, webhook_document(w))::reply;
end
$$;

-- Confirms that the client still wants its webhook, which resumes if it was paused for lack of this. Refuses with 404,
-- or with 409 for another client.
create function webhook_confirm(p_id uuid, confirm_days integer) returns reply language plpgsql as $$
declare
    w webhook := webhook_lock(p_id, null);
begin
    perform refuse_other_client(w);
    update webhook set confirm_by = now() + make_interval(days => confirm_days),
            status = case when paused_because = 'unconfirmed' then 'enabled' else status end,
            paused_because = nullif(paused_because, 'unconfirmed')
        where id = p_id returning * into w;
    return (200, w.version, null, webhook_document(w))::reply;
end
$$;

-- Pauses the webhooks that were not confirmed in time, and returns how many. Runs as the owner, because no client asks
-- for it.
create function webhook_pause_unconfirmed() returns integer
language plpgsql security definer set search_path from current as $$
declare
    paused integer;
begin
    update webhook set status = 'paused', paused_because = 'unconfirmed'
        where status = 'enabled' and confirm_by <= now();
    get diagnostics paused = row_count;
    return paused;
end
$$;

-- Adds a delivery that only tests the connection (201). Refuses with 404, or with 409 if webhooks are off.
create function webhook_ping(p_id uuid, switched_on boolean) returns reply language plpgsql as $$
declare
    w webhook := webhook_lock(p_id, null);
    v_id uuid := uuid_v7();
    d webhook_delivery;
begin
    perform refuse_webhooks_off(switched_on);
    insert into webhook_delivery (id, webhook_id, organisation, type, lane)
        values (v_id, w.id, w.organisation, 'webhook.ping', v_id) returning * into d;
    return (201, null, '/v1/webhooks/' || w.id || '/deliveries/' || d.id, webhook_delivery_document(d))::reply;
end
$$;

-- Sends a delivery again that was delivered, failed or abandoned. Refuses with 404, or with 409 a delivery that still
-- waits.
create function webhook_replay(p_webhook uuid, p_id uuid) returns reply language plpgsql as $$
declare
    w webhook := webhook_lock(p_webhook, null);
    d webhook_delivery;
begin
    select * into d from webhook_delivery x where x.webhook_id = w.id and x.id = p_id;
    perform refuse_unless_found(found);
    if d.status = 'pending' then
        perform conflict('delivery_pending', 'The event is already waiting to be sent.');
    end if;
    update webhook_delivery set status = 'pending', attempts_before = attempts, first_attempt_at = null,
            due_at = now(), finished_at = null
        where id = d.id returning * into d;
    return (200, null, null, webhook_delivery_document(d))::reply;
end
$$;

-- --- delivering

-- Returns the first few deliveries that may be sent now: each is the first of its lane, and no other of the lane is
-- being sent.
create function webhook_ready(p_webhook uuid, how_many integer) returns setof webhook_delivery
language sql stable as $$
    select d.* from webhook_delivery d
    where d.webhook_id = p_webhook and d.status = 'pending' and d.due_at <= now()
        and not exists (select from webhook_delivery e
            where e.webhook_id = d.webhook_id and e.lane = d.lane and e.status = 'pending'
                and (e.number < d.number or e.leased_until > now()))
    order by d.entry
    limit how_many
$$;

-- Returns when the next delivery may be sent; null if none waits.
create function webhook_next_at(p_webhook uuid) returns timestamptz language sql stable as $$
    select min(q.ready_at)
    from (select row_number() over (partition by d.lane order by d.number) as place,
            greatest(d.due_at, max(d.leased_until) over (partition by d.lane)) as ready_at
        from webhook_delivery d where d.webhook_id = p_webhook and d.status = 'pending') q
    where q.place = 1
$$;

-- Returns how many deliveries of one webhook may be sent at the same time, so that one slow receiver does not occupy
-- all slots.
create function webhook_max_concurrent() returns integer language sql immutable as $$ select 4 $$;

-- Returns how many deliveries may wait for one webhook; further events wait in the feed.
create function webhook_max_waiting() returns integer language sql immutable as $$ select 1000 $$;

-- Returns the milliseconds from now until the instant, at least 0.
create function webhook_ms_until(at timestamptz) returns bigint language sql stable as $$
    select greatest(ceil(extract(epoch from at - now()) * 1000), 0)::bigint
$$;

-- Returns the webhooks that have something to send, now or later, with the client as which they act and the time to
-- wait. Whether there is news depends on the channels that feed_channels() would return for that client. Runs as the
-- owner: the service learns where there is work, never what it is about; webhook_take needs the client's claims.
create function webhook_due(safe bigint)
returns table (webhook uuid, organisation text, client text, scopes text, wait_ms bigint, token_id text)
language plpgsql stable security definer set search_path from current
set enable_seqscan = off set enable_bitmapscan = off as $$
begin
    return query
        select w.id, w.organisation, w.client, c.scopes, case
            when queue.waiting < webhook_max_waiting() and news.there then 0
            when queue.under_way >= webhook_max_concurrent() then webhook_ms_until(queue.lease_end)
            when queue.waiting = 0 then null
            when exists (select from webhook_ready(w.id, 1)) then 0
            else webhook_ms_until(webhook_next_at(w.id)) end, c.token_id
        from webhook w
        join webhook_client c on c.organisation = w.organisation and c.client = w.client
        join organisation o on o.code = w.organisation
        cross join lateral (select count(*) as waiting, count(*) filter (where d.leased_until > now()) as under_way,
                min(d.leased_until) filter (where d.leased_until > now()) as lease_end
            from webhook_delivery d where d.webhook_id = w.id and d.status = 'pending') queue
        cross join lateral (select w.position < safe and exists (
            select from unnest(array[o.code, o.code || ' *', o.code || ' ' || w.client,
                'area-' || coalesce(o.committee, o.area)]) who
            cross join lateral (select distinct s.lane from feed_subject s
                where s.scopes && string_to_array(trim(c.scopes), ' ')) lanes
            cross join lateral (select from feed_event e where e.channel = who || '/' || lanes.lane
                and e.number > w.position and e.number <= safe limit 1) event) as there) news
        where w.status = 'enabled' and w.confirm_by > now() and webhook_suspension(w) is null
        order by 5, w.id;
end
$$;

-- Returns the case of an event, even if the event does not show it: a removed resource has no link. Returns the subject
-- itself for an event without a case.
create function webhook_ordering_key(event json) returns uuid language plpgsql stable as $$
begin
    return coalesce(
        case event ->> 'subject' when 'case' then (event ->> 'subject_id')::uuid end,
        (event ->> 'case_id')::uuid,
        (select f.case_id from feed_event f where f.channel = any (feed_channels())
            and f.number = (event ->> 'id')::bigint and f.case_id is not null limit 1),
        (event ->> 'subject_id')::uuid);
end
$$;

-- Reads on in the feed for a webhook. Stores the events and the new position together, so that no event is skipped or
-- doubled.
create function webhook_read_feed(w webhook, safe bigint) returns void language plpgsql as $$
declare
    page_most constant integer := 200;
    start bigint := greatest(w.position, (select f.number from feed_floor f));
    room integer := webhook_max_waiting() - webhook_pending(w.id);
    page record;
begin
    if room <= 0 or safe <= start then
        return;
    end if;
    select * into page from feed_page(
        jsonb_build_object('n', start, 's', feed_sight_name(feed_channels())), least(room, page_most), safe, false);
    insert into webhook_delivery (id, webhook_id, organisation, number, type, lane)
        select uuid_v7(), w.id, w.organisation, (e ->> 'id')::bigint, e ->> 'type', webhook_ordering_key(e)
        from json_array_elements(page.items) e
        where w.types is null or w.types && array[e ->> 'type', e ->> 'subject']
        order by (e ->> 'id')::bigint;
    update webhook set position = (page.onward ->> 'n')::bigint where id = w.id;
end
$$;

-- Returns the event as the webhook's client sees it now; null if it no longer sees it.
create function webhook_body(d webhook_delivery) returns json language plpgsql stable as $$
begin
    if d.number is null then
        return json_build_object(
            'specversion', '1.0',
            'id', d.id,
            'source', '/v1/webhooks/' || d.webhook_id,
            'type', 'learning-reviews.webhook.ping',
            'subject', '/v1/webhooks/' || d.webhook_id,
            'time', rendered(d.created_at),
            'datacontenttype', 'application/json',
            'data', json_build_object('webhook_id', d.webhook_id));
    end if;
    if d.number <= (select f.number from feed_floor f) then
        return null;
    end if;
    return (select p.items -> 0 from feed_page(
        jsonb_build_object('n', d.number - 1, 's', feed_sight_name(feed_channels())), 1, d.number, true) p);
end
$$;

-- Reads on in the feed, and leases the deliveries that are ready: no other instance sends them until the lease ends.
-- Returns no row for a webhook that another instance has locked, that is suspended, or whose client has presented a
-- newer token.
create function webhook_take(p_id uuid, safe bigint, how_many integer, lease_seconds integer)
returns table (delivery uuid, attempt integer, url text, generation integer, old_secret boolean, body json)
language plpgsql as $$
declare
    w webhook;
    d webhook_delivery;
    slots integer;
begin
    select * into w from webhook x where x.id = p_id and x.status = 'enabled' and x.confirm_by > now()
        for update skip locked;
    if not found or webhook_suspension(w) is not null or not webhook_acts_as_newest(w) then
        return;
    end if;
    perform webhook_read_feed(w, safe);
    url := w.url;
    generation := w.secret_generation;
    old_secret := webhook_old_secret_until(w) is not null;
    slots := webhook_max_concurrent() - (select count(*) from webhook_delivery x
        where x.webhook_id = w.id and x.status = 'pending' and x.leased_until > now());
    for d in select * from webhook_ready(w.id, greatest(least(how_many, slots), 0)) loop
        body := webhook_body(d);
        if body is null then
            update webhook_delivery x set status = 'abandoned', finished_at = now(), leased_until = null
                where x.id = d.id;
            continue;
        end if;
        update webhook_delivery x set attempts = x.attempts + 1, last_attempt_at = clock_timestamp(),
                first_attempt_at = coalesce(x.first_attempt_at, clock_timestamp()),
                leased_until = clock_timestamp() + make_interval(secs => lease_seconds)
            where x.id = d.id
            returning x.id, x.attempts into delivery, attempt;
        return next;
    end loop;
end
$$;

-- Returns how long to wait after so many attempts: five times longer each time up to 12 hours, varied by a tenth so
-- that many retries do not coincide. Longer if the receiver asks for it, up to a day.
create function webhook_wait(attempts integer, first_seconds integer, retry_after integer) returns interval
language sql volatile as $$
    select make_interval(secs => greatest(
        least(first_seconds * 5 ^ least(attempts - 1, 10), 43200) * (0.9 + 0.2 * random()),
        least(retry_after, 86400)))
$$;

-- Records the result of an attempt, and when to try again; after three days a delivery has failed. The result `gone`
-- pauses the webhook. Ignores an attempt whose lease has expired.
create function webhook_finish(p_webhook uuid, p_id uuid, p_attempt integer, p_result text,
    p_status integer, retry_after integer, first_seconds integer) returns void language plpgsql as $$
declare
    give_up_after constant interval := '3 days';
    d webhook_delivery;
begin
    perform from webhook x where x.id = p_webhook for update;
    select * into d from webhook_delivery x where x.id = p_id and x.attempts = p_attempt and x.status = 'pending'
        and x.leased_until is not null for update;
    if not found then
        return;
    end if;
    d.status := case
        when p_result = 'delivered' then 'delivered'
        when p_result in ('gone', 'interrupted') or clock_timestamp() < d.first_attempt_at + give_up_after then 'pending'
        else 'failed' end;
    update webhook_delivery x set status = d.status, leased_until = null, last_result = p_result,
            last_status = p_status,
            finished_at = case when d.status <> 'pending' then clock_timestamp() end,
            due_at = case when p_result in ('gone', 'interrupted') then clock_timestamp()
                else clock_timestamp() + webhook_wait(d.attempts - d.attempts_before, first_seconds, retry_after) end
        where x.id = d.id;
    if p_result = 'gone' then
        update webhook set status = 'paused', paused_because = 'gone' where id = p_webhook and status = 'enabled';
    end if;
end
$$;

-- Returns how many deliveries wait to be sent, and for how many seconds the oldest has waited, for operators. Runs as
-- the owner: the deliveries belong to all organisations.
create function webhook_backlog(out pending bigint, out oldest_seconds bigint)
language sql stable security definer set search_path from current as $$
    select count(*), coalesce(extract(epoch from now() - min(d.created_at)), 0)::bigint
    from webhook_delivery d join webhook w on w.id = d.webhook_id
    where d.status = 'pending' and w.status = 'enabled'
$$;

-- Deletes one step of the log older than `days` (at least 7), the time for which events are kept, and returns the
-- number deleted. Runs as the owner: the log belongs to all organisations.
create function webhook_expire(days integer, step integer) returns integer
language plpgsql security definer set search_path from current as $$
declare
    gone integer;
begin
    perform refuse_short_retention(days);
    delete from webhook_delivery d where d.id in (select x.id from webhook_delivery x
        where x.created_at < now() - make_interval(days => days) order by x.created_at limit step
        for update skip locked);
    get diagnostics gone = row_count;
    return gone;
end
$$;
