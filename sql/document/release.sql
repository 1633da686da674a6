-- Releases: which organisations outside a case may read one of its documents.

-- The document of a release. It shows the recipient what it may fetch, and the case only to those who see it.
create function release_document(r document_release) returns json language plpgsql stable as $$
declare
    d document;
    shown uuid := (select c.id from review_case c where c.id = r.case_id);
begin
    select * into d from document x where x.id = r.document_id;
    return json_build_object(
        'id', r.id,
        'committee', r.committee,
        'document_id', r.document_id,
        'case_id', shown,
        'organisation', r.organisation,
        'kind', d.kind,
        'media_type', d.media_type,
        'size', d.size,
        'digest', d.digest,
        'released_on', r.released_on,
        'withdrawn_on', r.withdrawn_on,
        'withdrawal_reason', r.withdrawal_reason,
        'recorded_by', r.recorded_by,
        'created_at', rendered(r.created_at),
        'updated_at', rendered(r.updated_at),
        'version', r.version,
        'etag', entity_tag(r.version),
        'links', json_build_object(
            'self', '/v1/document-releases/' || r.id,
            'content', case when r.withdrawn_on is null then '/v1/document-releases/' || r.id || '/content' end,
            'document', '/v1/cases/' || shown || '/documents/' || r.document_id));
end
$$;

-- Releases a document of the caller's committee to an organisation (201). Refuses with 404, with 409 a document without
-- bytes or already released to the organisation, and with 422 an unknown organisation, one whose code several bodies
-- share, or the committee itself.
create function document_release_add(p_case uuid, p_id uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock(p_case, null);
    d document;
    r document_release := jsonb_populate_record(null::document_release, input);
begin
    select * into d from document where id = p_id and case_id = c.id for update;
    perform refuse_unless_found(found);
    if d.digest is null then
        perform conflict('no_content', 'The document has no content yet.');
    end if;
    perform refuse_faults(
        organisation_fault('/organisation', r.organisation),
        case when (select o.collective from organisation o where o.code = r.organisation) then
            fault('/organisation', 'collective', 'is a code that several bodies share') end,
        case when r.organisation = claim('organisation') then
            fault('/organisation', 'own_document', 'reads the document already') end);
    if exists (select from document_release x where x.document_id = d.id and x.organisation = r.organisation
            and x.withdrawn_on is null) then
        perform conflict_at('/organisation', 'released_already', 'has the document already');
    end if;
    r.id := uuid_v7();
    r.committee := c.committee;
    r.case_id := c.id;
    r.document_id := d.id;
    r.released_on := today();
    r.recorded_by := claim('organisation');
    r := insert_row(r);
    return (201, r.version, '/v1/document-releases/' || r.id, release_document(r))::reply;
end
$$;

-- Withdraws a release of the caller's committee: the recipient can no longer read the document, and reads the reason
-- (201). Refuses with 404, 412 or 428, and with 409 a second withdrawal.
create function document_release_withdraw(p_id uuid, expected bigint, input jsonb) returns reply
language plpgsql as $$
declare
    r document_release;
begin
    select * into r from document_release where id = p_id and committee = claim('committee') for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, r.version);
    if r.withdrawn_on is not null then
        perform conflict('withdrawn_already', 'The release was already withdrawn.');
    end if;
    update document_release set withdrawn_on = today(), withdrawal_reason = input ->> 'reason'
        where id = p_id returning * into r;
    return (201, r.version, null, release_document(r))::reply;
end
$$;
