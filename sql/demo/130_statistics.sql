-- Statistics: everything is counted, and the releases of the past are made.
select pg_temp.triggers('enable') \g /dev/null
select statistic_count_all() \g /dev/null

do $$
declare
    latest integer := extract(year from today() - interval '6 months');
begin
    for year in latest - 1 .. latest loop
        perform statistic_release_make(year::text, make_date(year, 6, 24), make_date(year, 4, 1));
    end loop;
end
$$;

commit;
