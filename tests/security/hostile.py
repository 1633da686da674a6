"""Hostile values, and requests that are valid by the contract except for one of them."""
import uuid

import contract_reader

MARK = "zqxjk"  # is in every payload, so that tests can search for it
PAYLOADS = [
    f"{MARK}' OR '1'='1", f"{MARK}'; DROP TABLE register.review_case; --",
    f"{MARK}'||pg_sleep(9)||'",  # clock: a statement that sleeps is cancelled, which is a 503
    f"{MARK}\\'; select 1; --", f"$${MARK}$$", f"{MARK}\r\nX-Injected: 1\r\n\r\n<html>",
    f'{MARK}\n{{"level":"error","message":"forged"}}', f"{MARK}%n%n%n%s%s%p%1000000d", f"{MARK}${{jndi:ldap://a/b}}",
    f"<script>{MARK}</script>", f"../../../../{MARK}", f"{MARK}\u202e\u0000\ufeff", f"{MARK}" + "A" * 2500,
    f"{{{{{MARK}}}}}", f"{MARK}`id`;$(id)|id"]
OPERATIONS = contract_reader.operations()


def ask(client, name, places, **more):
    """Builds a request that is valid by the contract except for the given values; it names a version that does not
    exist."""
    operation = OPERATIONS[name]
    arguments = {}
    if operation.body and "data" not in more:
        arguments["body"] = operation.example_body()
    if operation.has_parameter("If-Match", "header"):
        arguments["if_match"] = '"99-x"'
    return client.send(name, **{**arguments, **more}, **places(name))


def assert_harmless(reply, place):
    assert reply.status < 500, (place, reply)
    assert "X-Injected" not in reply.headers, place
    assert reply.status < 400 or MARK not in reply.bytes.decode(), (place, reply)
