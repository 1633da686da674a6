-- Holds: what has to wait for another process.

-- Whether an open hold stops a track of the case: publication or dissemination.
create or replace function case_held(c review_case, track text) returns boolean language plpgsql stable as $$
begin
    return false;
end
$$;

create or replace function publication_held(c review_case) returns boolean language plpgsql stable as $$
begin
    return case_held(c, 'publication') or case_held(c, 'dissemination');
end
$$;
