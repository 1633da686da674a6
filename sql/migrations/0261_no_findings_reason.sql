-- Why a report has no finding, as no_strategies_reason says why it has no strategy.
alter table report add column no_findings_reason text check (length(no_findings_reason) between 1 and 2000);
