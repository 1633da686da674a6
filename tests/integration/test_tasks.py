"""Tasks of cases: their due day, the role that must do them, and the list across cases."""
import pytest

from payloads import days_ago, days_ahead, new_access, new_task, today
from scenarios import make_case, walk


@pytest.fixture
def case(committee):
    return make_case(committee, opened_on=days_ago(20))


def add(client, case, **content):
    return client.send("addTask", new_task(**content), id=case["id"])


def change(client, task, **content):
    return client.send("changeTask", content, id=task["case_id"], task_id=task["id"], if_match=task["etag"])


def listed(client, case, query):
    return [one["id"] for one in walk(client, "listTasks", query) if one["case_id"] == case["id"]]


def test_a_task_is_done_and_opened_again(committee, case):
    task = add(committee, case).expect(201)
    assert (task["status"], task["done_on"], task["overdue"]) == ("open", None, False)
    done = change(committee, task, status="done").expect(200)
    assert (done["status"], done["done_on"]) == ("done", today())
    again = change(committee, done, status="open").expect(200)
    assert (again["status"], again["done_on"]) == ("open", None)


def test_a_task_is_not_due_before_its_case_was_opened(committee, case):
    reply = add(committee, case, due_on=days_ago(21))
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/due_on"}, {"date_order"})


def test_the_list_finds_what_is_due(committee, case):
    late, soon, later = (add(committee, case, due_on=day, owner_role=role).expect(201)
                         for day, role in ((days_ago(3), "chair"), (days_ahead(3), "lead_officer"),
                                           (days_ahead(30), "chair")))
    done = change(committee, add(committee, case, due_on=days_ago(5)).expect(201), status="done").expect(200)
    assert late["overdue"] and not done["overdue"]
    assert listed(committee, case, "overdue=true") == [late["id"]]
    assert listed(committee, case, "overdue=false") == [done["id"], soon["id"], later["id"]]
    assert listed(committee, case, f"status=open&due_to={days_ahead(7)}") == [late["id"], soon["id"]]
    assert listed(committee, case, "owner_role=chair") == [late["id"], later["id"]]


def test_the_review_team_has_the_tasks_of_its_cases(committee, caller, case):
    committee.send("grantAccess", new_access(client_id="tasks-reviewer"), id=case["id"]).expect(201)
    reviewer = caller("INDEPENDENT", "tasks-reviewer", "cases.read reviews.write")
    hidden = add(committee, make_case(committee)).expect(201)
    task = add(committee, case, owner_role="reviewer").expect(201)
    assert {one["id"] for one in walk(reviewer, "listTasks", "")} == {task["id"]}
    assert change(reviewer, task, status="done").status == 200
    assert change(reviewer, hidden, status="done").status == 404


def test_open_tasks_continue_in_the_case_into_which_theirs_is_merged(committee, case):
    target = make_case(committee)
    done = change(committee, add(committee, case).expect(201), status="done").expect(200)
    task = add(committee, case).expect(201)
    committee.send("mergeCase", {"into_case_id": target["id"], "merged_on": today(), "note": None}, id=case["id"],
                   if_match=committee.send("getCase", id=case["id"]).etag).expect(201)
    for one, home in ((task, target), (done, case)):
        assert committee.send("getTask", id=home["id"], task_id=one["id"]).status == 200
