"""The statements of the lists with values in the place of their parameters, and what they read."""
import contextlib
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "service" / "db"))
import embed  # noqa: E402
import lists  # noqa: E402

SCOPES = "referrals.read cases.read actions.read information.read notices.read proceedings.read decisions.read"
MOMENTS = ["2020-06-01T00:00:00Z", "2100-01-01T00:00:00Z"]
# Values of each filter: of many rows, of few, of none.
VALUES = {
    "list_cases": {"stage": ["review", "evaluation", "review,evaluation", "notification,review,set_up"],
                   "on_hold": ["true", "false"], "review_type": ["single", "joint", "single,joint", "joint,thematic"],
                   "reference": ["C7", "none", "C7,C8,none"], "updated_since": MOMENTS,
                   "overdue": ["true", "false"], "due_soon": ["90"], "opened_from": ["2020-06-01", "2100-01-01"],
                   "opened_to": ["2020-06-01", "1990-01-01"],
                   "criterion": ["suicide", "effective_practice", "suicide,effective_practice"],
                   "retention_due": ["true", "false"], "shared": []},
    "list_actions": {"case_id": ["00000000-0000-7000-8000-000000000001"],
                     "strategy": ["00000000-0000-7000-8000-000000000002"],
                     "theme": ["child_voice", "other", "other,child_voice"],
                     "owner": ["LA-S12000049", "POL-A", "LA-S12000049,POL-A"],
                     "status": ["agreed", "not_achieved", "agreed,not_achieved", "proposed,agreed,verified"],
                     "updated_since": MOMENTS, "overdue": ["true", "false"], "due_soon": ["90"],
                     "priority": ["high", "low", "high,medium", "high,low"],
                     "scope": ["local", "national", "national,local"],
                     "due_from": ["2020-06-01", "2100-01-01"], "due_to": ["2100-01-01", "1990-01-01"],
                     "extension_requested": ["true", "false"],
                     "owner_kind": ["police", "local_authority", "police,local_authority"]},
    "list_referrals": {"status": ["submitted", "accepted", "submitted,accepted", "accepted,rejected"],
                       "reference": ["C7", "none", "C7,C8,none"],
                       "source_reference": ["copy-7", "none", "copy-7,copy-9"],
                       "source_system": ["none", "none,nor-this"], "committee": ["GLA", "EDH", "GLA,EDH", "EDH,ABE"],
                       "updated_since": MOMENTS, "retention_due": ["true", "false"],
                       "received_from": ["2020-06-01", "2100-01-01"], "received_to": ["2100-01-01", "1990-01-01"]},
    "list_information_requests": {"status": ["withdrawn", "declined", "withdrawn,declined", "declined,open"],
                                  "overdue": ["true", "false"]},
    "list_tasks": {"status": ["open", "done", "open,done"], "owner_role": ["chair", "reviewer", "chair,reviewer"],
                   "overdue": ["true", "false"], "due_to": ["2100-01-01", "1990-01-01"]},
    "list_proceedings": {"kind": ["police_investigation", "complaint", "police_investigation,complaint"],
                         "open": ["true", "false"]},
}
PAIRS = {
    "list_cases": [{"stage": "review", "overdue": "true"}, {"stage": "review", "review_type": "joint"},
                   {"stage": "review", "opened_from": "2020-06-01"}, {"overdue": "true", "criterion": "suicide"},
                   {"stage": "review,notification", "review_type": "joint"},
                   {"stage": "review", "review_type": "joint,single"},
                   {"stage": "review,evaluation", "overdue": "true"}, {"updated_since": MOMENTS[0], "overdue": "true"}],
    "list_actions": [{"status": "agreed", "overdue": "true"}, {"status": "agreed", "due_from": "2020-06-01"},
                     {"owner": "LA-S12000049", "status": "agreed"}, {"theme": "other", "owner_kind": "police"},
                     {"priority": "high", "overdue": "true"}, {"status": "agreed,proposed", "priority": "high,low"},
                     {"owner": "LA-S12000049", "status": "agreed,proposed"}],
    "list_referrals": [{"status": "submitted", "received_from": "2020-06-01"},
                       {"status": "submitted,accepted", "received_from": "2020-06-01"}],
}


@contextlib.contextmanager
def bounds(scanned, few):
    """Statements read at most so many rows, instead of the numbers of the service."""
    before = lists.SCANNED, lists.SCANNED_COSTLY, lists.FEW
    lists.SCANNED, lists.SCANNED_COSTLY, lists.FEW = scanned, scanned, few
    try:
        yield
    finally:
        lists.SCANNED, lists.SCANNED_COSTLY, lists.FEW = before


def statements():
    """(texts, parameters) of each list, and (text, None) of each other statement."""
    return {name: (text, parameters) for name, _, text, parameters in embed.read_declared(ROOT / "sql")}


def questions(name, parameters):
    """Each single filter and some pairs in every sort order; a filter without values here is an error."""
    filters = [{}, *({filter: value} for filter in parameters if filter != "sort" for value in VALUES[name][filter]),
               *PAIRS.get(name, [])]
    return [{**each, "sort": sort} if sort else each for sort in parameters.get("sort") or [None] for each in filters]


def with_parameters(text, *values):
    for number, value in reversed(list(enumerate(values, 1))):
        text = text.replace(f"${number}", "null" if value is None else "'" + value + "'")
    return text


def nodes(plan):
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def rows_read(plan):
    """Of tables, without what organisations are looked up."""
    tables = [one for one in nodes(plan) if one.get("Relation Name", "organisation") != "organisation"]
    return sum((one["Actual Rows"] + one.get("Rows Removed by Filter", 0) + one.get("Rows Removed by Index Recheck", 0))
               * one["Actual Loops"] for one in tables)


class Lists:
    """Asks the lists as the service does, in the transaction of a cursor."""

    def __init__(self, cursor):
        self.cursor, self.statements = cursor, statements()

    def begin(self, organisation):
        """The caller of the questions that follow in the transaction."""
        self.cursor.execute("set local timezone = 'UTC'; set local jit = off; set local role register_service")
        self.cursor.execute(with_parameters(self.statements["claims"][0], organisation, f" {SCOPES} ", "size", ""))

    def text(self, name, question, after=None, limit=50):
        return with_parameters(lists.text_for(self.statements[name][0], question), json.dumps(question),
                               None if after is None else json.dumps(after), str(limit))

    def page(self, name, question, after=None, limit=50):
        """The items and the key of the next page."""
        self.cursor.execute(self.text(name, question, after, limit))
        return self.cursor.fetchone()[:2]

    def read(self, name, question, after=None):
        """How many rows a page reads from tables."""
        self.cursor.execute("explain (analyze, format json) " + self.text(name, question, after))
        return rows_read(self.cursor.fetchone()[0][0]["Plan"])

    def walk(self, name, question, limit):
        """All items, page by page, and how many of the pages were full or the last."""
        items, after, lengths = [], None, []
        while True:
            found, after = self.page(name, question, after, limit)
            items += found
            lengths.append(len(found))
            if after is None:
                return items, lengths
