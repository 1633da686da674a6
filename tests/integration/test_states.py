"""The rows that say which request moves a resource from which state to which: complete, and like the contract's codes."""
import pathlib

import pytest
import yaml

from scenarios import make_accepted_referral

CONTRACT = pathlib.Path(__file__).resolve().parents[2] / "openapi.yaml"
TABLES = {"access": "case_access", "transfer": "case_transfer"}  # of subjects that have another name
# The refusals name each action (actions_merge).
WITHOUT_REFUSAL = {("action", "mergeActions")}
# The states of a subject: the query that lists them.
STATES = {
    "action": "select code from register.code_entry where list = 'action-statuses'",
    "information_request": "select code from register.code_entry where list = 'information-request-statuses'",
    "referral": "select unnest('{submitted,acknowledged,accepted,rejected,withdrawn}'::text[])",
    "transfer": "select unnest('{proposed,accepted,refused,withdrawn}'::text[])"}


@pytest.fixture(scope="module")
def moves(cluster, instances):
    return cluster.execute("""select subject, operation, from_state, to_state, who from register.state_transition""")


@pytest.fixture(scope="module")
def operations():
    contract = yaml.load(CONTRACT.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {operation["operationId"]: operation["responses"] for path in contract["paths"].values()
            for operation in path.values() if isinstance(operation, dict) and "operationId" in operation}


def test_each_operation_is_of_the_contract_and_can_be_refused(moves, operations):
    assert {operation for _, operation, *_ in moves if "409" not in operations[operation]} == set()


def test_each_operation_has_a_refusal_and_each_refusal_an_operation(cluster, moves):
    refused = set(cluster.execute("select subject, operation from register.state_refusal where from_state is null"))
    special = set(cluster.execute("select subject, operation from register.state_refusal"))
    assert refused == special == {move[:2] for move in moves} - WITHOUT_REFUSAL


def test_a_special_refusal_is_from_a_state_without_a_move(cluster, moves):
    assert set(cluster.execute("""select subject, operation, from_state from register.state_refusal
        where from_state is not null""")) & {move[:3] for move in moves} == set()


def test_the_columns_that_name_who_may_move_exist(cluster, moves):
    columns = set(cluster.execute("""select c.relname::text, a.attname::text from pg_attribute a
        join pg_class c on c.oid = a.attrelid and c.relnamespace = 'register'::regnamespace where a.attnum > 0"""))
    assert {(TABLES.get(subject, subject), column) for subject, *_, who in moves for column in who} <= columns


@pytest.mark.parametrize("subject", STATES)
def test_the_states_are_the_codes_of_the_contract(subject, cluster, moves):
    assert {state for name, _, *states, _ in moves if name == subject for state in states} == \
        {code for code, in cluster.execute(STATES[subject])}


@pytest.mark.parametrize("subject, operation, condition", [
    ("action", "changeAction", "not action_has_ended(code)"),
    ("action", "splitAction", "not action_has_ended(code)"),
    ("action", "mergeActions", "not action_has_ended(code)"),
    ("referral", "changeReferral", "referral_is_undecided(code)"),
    ("referral", "acceptReferral", "referral_is_undecided(code)"),
    ("referral", "transferReferral", "referral_is_undecided(code)")])
def test_a_condition_on_states_agrees_with_the_moves(subject, operation, condition, cluster, moves):
    code = cluster.execute("select current_schema()")[0][0]
    assert {move[2] for move in moves if move[:2] == (subject, operation)} == {one for one, in cluster.execute(
        f"set search_path = {code}, register; select code from ({STATES[subject]}) x (code) where {condition}")}


def test_a_guard_that_only_newer_code_knows_does_not_count(agency, committee, cluster):
    """As long as two versions of the program serve, the older one finds rows of the newer one."""
    case = make_accepted_referral(agency, committee)["case_id"]
    assert cluster.execute("select guard_holds(c, 'of_a_newer_version'), guard_holds(c, 'decision_recorded') "
                           "from register.review_case c where c.id = %s", [case]) == [(True, False)]
