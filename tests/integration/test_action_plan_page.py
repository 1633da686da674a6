"""The printable action plan of a case."""
import html.parser

from payloads import days_ahead
from scenarios import make_action, make_case


class Page(html.parser.HTMLParser):
    """The texts and tags of a page; an end tag without its start tag is an error."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def page_of(client, case):
    return client.send("getActionPlan", id=case["id"], headers={"Accept": "text/html"})


def test_the_plan_has_the_actions_by_due_date(committee):
    case = make_case(committee, "decision")
    later = make_action(committee, case, due_on=days_ahead(120))
    sooner = make_action(committee, case, due_on=days_ahead(60))
    plan = committee.send("getActionPlan", id=case["id"]).expect(200)
    assert (plan["case_reference"], plan["actions"]) == (case["reference"], [sooner, later])


def test_the_page_shows_texts_as_texts(committee):
    case = make_case(committee, "decision")
    title = "<script>alert('x')</script> & \"quotes\""
    make_action(committee, case, title=title)
    reply = page_of(committee, case)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "script-src 'self'" in reply.headers["Content-Security-Policy"]
    page = Page(reply.bytes.decode())
    assert title in "".join(page.texts) and "script" not in page.tags
    assert "Glasgow City Council" in "".join(page.texts)
    assert "no-store" in reply.headers["Cache-Control"]


def test_an_empty_plan_is_a_page(committee):
    assert "tbody" in Page(page_of(committee, make_case(committee)).bytes.decode()).tags


def test_the_owner_of_an_action_does_not_see_the_plan(committee, agency):
    case = make_case(committee, "decision")
    make_action(committee, case)
    for reply in (page_of(agency, case), agency.send("getActionPlan", id=case["id"])):
        assert (reply.status, reply.code) == (404, "not_found")
