-- Documents of a case. An entry says what a document is; its bytes are stored once and never change. A new version is a
-- new document that replaces the former one.

-- The document of an entry, without its bytes. `replaced_by` is the next version, if the caller may read it.
create function document_entry(d document) returns json language sql stable as $$
    select json_build_object(
        'id', d.id,
        'case_id', d.case_id,
        'kind', d.kind,
        'replaces', d.replaces,
        'replaced_by', (select n.id from document n where n.replaces = d.id),
        'media_type', d.media_type,
        'size', d.size,
        'digest', d.digest,
        'recorded_by', d.recorded_by,
        'created_at', rendered(d.created_at),
        'updated_at', rendered(d.updated_at),
        'version', d.version,
        'etag', entity_tag(d.version),
        'links', json_build_object(
            'self', '/v1/cases/' || d.case_id || '/documents/' || d.id,
            'case', '/v1/cases/' || d.case_id,
            'content', case when d.digest is not null then
                '/v1/cases/' || d.case_id || '/documents/' || d.id || '/content' end))
$$;

-- Returns the fault of a document that cannot be replaced by one of this kind: unknown in the case, of another kind, or
-- replaced already. Null if it can, or if the new document replaces none.
create function replacement_fault(c review_case, n document) returns json language plpgsql stable as $$
declare
    former document;
begin
    select * into former from document d where d.id = n.replaces and d.case_id = c.id;
    return case
        when n.replaces is null then null
        when former.id is null then fault('/replaces', 'unknown_document', 'is not a document of the case')
        when former.kind <> n.kind then
            fault('/replaces', 'other_kind', format('is of the kind %s; a new version has the same kind', former.kind))
        when exists (select from document d where d.replaces = n.replaces) then
            fault('/replaces', 'replaced_already', 'is already replaced by another document') end;
end
$$;

-- Makes the entry of a document (201); its bytes follow. Refuses with 404, with 409 a closed case, and with 422 a
-- document that it cannot replace.
create function document_add(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_lock_visible(p_case);
    d document := jsonb_populate_record(null::document, input);
begin
    perform refuse_faults(replacement_fault(c, d));
    d.id := uuid_v7();
    d.committee := c.committee;
    d.case_id := c.id;
    d.recorded_by := claim('organisation');
    d := insert_row(d);
    return (201, d.version, '/v1/cases/' || c.id || '/documents/' || d.id, document_entry(d))::reply;
end
$$;

-- Records what the bytes of a document are: 201 if they must be stored now (document_add_piece), 200 if the same bytes
-- are stored already. Refuses with 404, and with 409 a closed case and other bytes than those stored.
create function document_describe(p_case uuid, p_id uuid, p_media_type text, p_size integer, p_digest text)
returns reply language plpgsql as $$
declare
    c review_case := case_lock_visible(p_case);
    d document;
begin
    select * into d from document where id = p_id and case_id = c.id for update;
    perform refuse_unless_found(found);
    if d.digest = p_digest and d.media_type = p_media_type then
        return (200, d.version, null, document_entry(d))::reply;
    end if;
    if d.digest is not null then
        perform conflict('content_stored',
            'The document has other content. Add a new document with `replaces`, and store the new content there.');
    end if;
    update document set media_type = p_media_type, size = p_size, digest = p_digest
        where id = p_id returning * into d;
    return (201, d.version, null, document_entry(d))::reply;
end
$$;

-- Stores one piece of the bytes that document_describe announced in the same transaction; `hexadecimal` has its bytes.
create function document_add_piece(p_id uuid, p_number integer, hexadecimal text) returns void
language plpgsql as $$
begin
    insert into document_piece (document_id, number, content) values (p_id, p_number, decode(hexadecimal, 'hex'));
end
$$;

-- Returns the name under which a program saves the document: made from codes alone, so that the name shows nothing else.
create function document_file_name(d document) returns text language sql immutable as $$
    select replace(d.kind, '_', '-') || '-' || left(d.digest, 8) || case d.media_type
        when 'text/plain' then '.txt' when 'application/pdf' then '.pdf'
        when 'application/vnd.oasis.opendocument.text' then '.odt' else '.docx' end
$$;

-- Returns what a download needs next to the bytes. No row for a document without bytes, or that the caller may not
-- read.
create function document_download(p_id uuid)
returns table (document uuid, body json, media_type text, size integer, tag text, digest text, name text)
language sql stable as $$
    select d.id, json_build_object('id', d.id), d.media_type, d.size, '"' || d.digest || '"',
        'sha-256=:' || encode(decode(d.digest, 'hex'), 'base64') || ':', document_file_name(d)
    from document d where d.id = p_id and d.digest is not null
$$;

-- Returns the fault of a digest that belongs to none of the reports stored for the case. Null for one that does, for
-- null, and while the case has no stored report: its document may be kept elsewhere.
create function report_digest_fault(c review_case, p_digest text) returns json language plpgsql stable as $$
declare
    stored text[] := array(select d.digest from document d where d.case_id = c.id and d.digest is not null
        and d.kind in ('full_report', 'anonymised_report'));
begin
    return case when stored <> '{}' and p_digest <> all (stored) then
        fault('/document_digest', 'unknown_document', 'is not the digest of a report stored for the case') end;
end
$$;

-- Returns the ratified report of a case as a stored document: the newest full or anonymised report with the digest that
-- the report names. No row before ratification, or while no stored document has this digest.
create function case_ratified_document(c review_case)
returns table (document_id uuid, version bigint, digest text) language sql stable as $$
    select d.id, d.version, d.digest
    from report p join document d on d.case_id = p.case_id and d.digest = p.document_digest
    where p.case_id = c.id and d.kind in ('full_report', 'anonymised_report') and case_ratified_on(c) is not null
    order by d.id desc limit 1
$$;
