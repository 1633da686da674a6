-- Timescales and days off that a committee sets itself. Rows are only ever added: what was due by them stays due.
alter table timescale
    add column recorded_at timestamptz not null default now(),
    add column recorded_by text references organisation; -- null: the default of the register

alter table local_holiday
    add column name text not null default 'Local holiday' check (length(name) between 1 and 100),
    add column recorded_at timestamptz not null default now(),
    add column recorded_by text references organisation;
