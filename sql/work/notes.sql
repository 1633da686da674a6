-- Notes on a case, which are no part of the record of the review.

-- The document of a note.
create function note_document(n note) returns json language sql stable as $$
    select json_build_object(
        'id', n.id,
        'case_id', n.case_id,
        'visibility', n.visibility,
        'text', n.text,
        'recorded_by', n.recorded_by,
        'created_at', rendered(n.created_at),
        'updated_at', rendered(n.updated_at),
        'version', n.version,
        'etag', entity_tag(n.version),
        'links', json_build_object(
            'self', '/v1/cases/' || n.case_id || '/notes/' || n.id,
            'case', '/v1/cases/' || n.case_id))
$$;

-- Adds a note, also to a closed case (201). Refuses with 404 a case that the caller does not see, and with 422 a note
-- for the committee from anyone else.
create function note_add(p_case uuid, input jsonb) returns reply language plpgsql as $$
declare
    c review_case := case_read(p_case);
    n note := jsonb_populate_record(null::note, input);
begin
    perform refuse_faults(case when n.visibility = 'committee' and c.committee <> claim('committee') then
        fault('/visibility', 'committee_only', 'is only possible for the committee of the case') end);
    n.id := uuid_v7();
    n.committee := c.committee;
    n.case_id := c.id;
    n.recorded_by := claim('organisation');
    n.written_by := claim('client');
    n := insert_row(n);
    return (201, n.version, '/v1/cases/' || c.id || '/notes/' || n.id, note_document(n))::reply;
end
$$;

-- Whether the caller wrote the note: its organisation, or its client where several bodies share the code.
create function wrote_note(n note) returns boolean language sql stable as $$
    select n.recorded_by = own_organisation()
        or n.recorded_by = claim('organisation') and n.written_by = claim('client')
$$;

-- Corrects the text of a note; the timeline keeps the former one. Refuses with 404, 412 or 428, and with 409 a note of
-- another author.
create function note_change(p_case uuid, p_id uuid, expected bigint, change jsonb) returns reply
language plpgsql as $$
declare
    n note;
begin
    select * into n from note where id = p_id and case_id = p_case for update;
    perform refuse_unless_found(found);
    perform refuse_stale(expected, n.version);
    if not wrote_note(n) then
        perform conflict('not_its_author', 'Only its author can correct a note.');
    end if;
    update note set text = change ->> 'text' where id = p_id returning * into n;
    return (200, n.version, null, note_document(n))::reply;
end
$$;
