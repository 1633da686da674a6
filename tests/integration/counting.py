"""Waits until statistics have counted all changes."""
from waiting import wait_until

READ, EXACT = "statistics.read", "statistics.read statistics.unsuppressed"


def until_counted(analyst, cluster):
    """Waits until everything committed is counted, and the analyst's instance knows it."""
    def is_counted():
        waits, aside = cluster.execute("""
            select exists (select from register.statistic_dirty) or exists (select from register.statistic_delta),
                (select count(*) from register.statistic_subject where fault is not null)""")[0]
        changed = dict(cluster.execute(
                                       "select table_code, rendered(changed_at) from statistic_state where scope = '*'"))
        listed = analyst.send("listStatistics").expect(200)
        return (not waits and (listed["pending"], listed["not_included"]) == (0, aside)
                and {one["table"]: one["changed_at"] for one in listed["tables"]} == changed)
    wait_until(is_counted, "statistics to count all changes")
