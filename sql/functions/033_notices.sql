-- Notices: who has to be told of what, and by when.

-- Makes the notices of a kind that the case calls for, due on a day.
create or replace function notices_make(c review_case, kind text, due date) returns void language plpgsql as $$
begin
end
$$;
