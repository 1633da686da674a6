"""The command line as users see it: help, manual, completion, and the findings of `check`."""
import os
import re
import socket
import subprocess

import pytest

from commands import ROOT, run
from cluster import blank
from service import Instance, free_port

COMMANDS = ["serve", "migrate", "replace-key", "organisation", "client", "token", "explain-token", "check", "version"]
MANUAL = ROOT / "deploy" / "man" / "learning-reviews.8"
COMPLETION = ROOT / "deploy" / "completion" / "learning-reviews"


def plain_manual():
    """Returns the manual's source without its markup."""
    return re.sub(r"\\(fB|fR|fI|~|&)", "", MANUAL.read_text().replace(r"\-", "-"))


def help_of(binary, command):
    asked = run(binary, "help", command)
    assert asked.returncode == 0
    return asked.stdout


def options_of(binary, command):
    return set(re.findall(r"^  (--[a-z]+)", help_of(binary, command), re.MULTILINE))


def roles_of(binary):
    text = " ".join(help_of(binary, "token").split())
    return re.split(r", ", re.search(r"one of the roles (.*?); or", text)[1])


def test_help_names_every_command(binary):
    text = run(binary, "--help").stdout
    assert re.findall(r"^  ([a-z-]+) {2,}\S", text, re.MULTILINE) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_both_forms_of_help_for_a_command_are_the_same(binary, command):
    assert help_of(binary, command) == run(binary, command, "--help").stdout


@pytest.mark.parametrize("words", [[], ["shout"], ["serve", "--shout"], ["serve", "now"], ["check", "--health=1"],
                                   ["token", "--role"], ["token", "--role", "king"], ["token"],
                                   ["token", "--role", "agency", "--client", "a"],
                                   ["token", "--role", "agency", "--seconds", "0"],
                                   ["token", "--role", "agency", "--seconds", "86401"],
                                   ["token", "--role", "agency", "--seconds", "9x"]], ids=" ".join)
def test_a_wrong_command_line_is_refused_with_a_pointer_to_the_help(binary, words):
    refused = run(binary, *words, env={"LR_MODE": "dev"})
    assert refused.returncode == 64 and refused.stdout


def test_the_manual_has_no_warnings():
    checked = run("man", "--warnings", "--encoding=UTF-8", "-l", MANUAL,
                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_manual_has_every_command_option_role_and_setting(binary):
    settings = re.findall(r'^    \{"(LR_[A-Z_]+)"', (ROOT / "service/config.c").read_text(), re.MULTILINE)
    words = [*COMMANDS, *roles_of(binary), *settings, "LR_MODE",
             *(option for command in COMMANDS for option in options_of(binary, command))]
    manual = set(re.findall(r"[\w-]+", plain_manual()))
    assert len(settings) > 20 and [word for word in words if word not in manual] == []


def test_every_role_is_in_the_help_and_gets_a_token(instance):
    main = (ROOT / "api/development_roles.c").read_text()
    roles = re.findall(r'^    \{"([a-z-]+)",', main[main.index("roles[]"):], re.MULTILINE)
    assert sorted(roles) == sorted(roles_of(instance.binary))
    assert all(instance.run("token", "--role", role).count(".") == 2 for role in roles)


def complete(*words):
    """Returns bash's completions of the last word."""
    script = """source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _learning_reviews
        printf '%s\\n' "${COMPREPLY[@]}" """
    return set(run("bash", "-c", script, "bash", COMPLETION, "learning-reviews", *words).stdout.split())


def test_completion_offers_the_commands(binary):
    assert complete("") == {*COMMANDS, "help", "--config", "--help", "--version"}
    assert complete("--config", "x", "ser") == {"serve"}
    assert complete("help", "") == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_completion_offers_the_options_that_help_lists(binary, command):
    topics = {"check": {"audit"}, "token": {"block"}, "organisation": {"add", "rename", "retire"},
              "client": {"map", "unmap", "block", "unblock", "list"}}.get(command, set())
    assert complete(command, "") == options_of(binary, command) | topics


def test_completion_offers_the_roles(binary):
    assert complete("token", "--role", "") == set(roles_of(binary))


def test_completion_offers_files_for_the_configuration(tmp_path):
    (tmp_path / "settings.conf").write_text("")
    assert complete("--config", f"{tmp_path}/se") == {f"{tmp_path}/settings.conf"}


def explain(instance, token, **settings):
    return run(instance.binary, "explain-token", input=token, env={**instance.environment, **settings})


def test_explain_token_says_what_is_taken_from_a_token(instance):
    token = instance.run("token", "--role", "agency")
    for text in (token, f"Bearer {token}\n"):
        explained = explain(instance, text)
        assert (explained.returncode, "FAULT" in explained.stdout) == (0, False), explained.stdout
        assert "The register would accept this token." in explained.stdout
        assert '    the token has organisation: "LA-S12000049"' in explained.stdout
        assert re.search(r"taken: .*referrals\.write", explained.stdout)


def test_explain_token_names_every_fault_at_once(instance):
    token = instance.run("token", "--role", "agency")
    explained = explain(instance, token, LR_AUDIENCE="another", LR_TOKEN_PROFILE="entra", LR_TOKEN_MAX_SECONDS="60")
    faults = re.findall(r"^([a-z ]+): FAULT", explained.stdout, re.MULTILINE)
    assert (explained.returncode, faults) == (1, ["audience", "times", "client", "scopes"])
    assert re.search(r"^ignored: .*client_id.*scope", explained.stdout, re.MULTILINE)
    assert "The register would reject this token." in explained.stdout


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "A" * 5000, "e30.e30.e30"])
def test_explain_token_says_why_a_text_is_no_token(instance, token):
    explained = explain(instance, token)
    assert (explained.returncode, "form: FAULT: " in explained.stdout or "header: FAULT: " in explained.stdout) == (1, True)


def test_explain_token_rejects_a_changed_token_and_still_explains_its_claims(instance):
    head, claims, _ = instance.run("token", "--role", "agency").split(".")
    explained = explain(instance, f"{head}.{claims}.AAAA")
    assert (explained.returncode, "signature: FAULT" in explained.stdout) == (1, True)
    assert "client: in order" in explained.stdout


def test_explain_token_needs_keys(instance):
    token = instance.run("token", "--role", "agency")
    assert explain(instance, token, LR_DEV_SECRET_FILE="/nonexistent").returncode == 78


def check(binary, settings):
    """Returns the status of `check`, and its result for each item."""
    done = run(binary, "check", env={"PATH": os.environ["PATH"], **settings})
    lines = re.findall(r"^([A-Za-z ]+): (in order|(?:FAULT|WARNING): .*)(?:, .*)?\n(?:    fix: (.+))?",
                       done.stdout, re.MULTILINE)
    return done.returncode, {what: (finding, mend) for what, finding, mend in lines}


def findings(binary, settings, *words):
    """Returns the status of `check`, and its lines with FAULT or WARNING."""
    done = run(binary, "check", *words, env={"PATH": os.environ["PATH"], **settings})
    return done.returncode, re.findall(r"^.*: (?:FAULT|WARNING): .*$", done.stdout, re.MULTILINE)


@pytest.fixture
def settings(instance):
    return {name: value for name, value in instance.environment.items() if name.startswith("LR_")}


def test_check_reports_a_correct_service_as_ok(instance, settings):
    status, found = check(instance.binary, settings)
    assert status == 0
    assert {what: finding for what, (finding, _) in found.items()} == dict.fromkeys(
        ["configuration", "pseudonym key", "keys", "TLS", "webhooks", "addresses", "descriptors", "database", "role",
         "schema", "durability", "key fingerprints", "database log", "migration database"], "in order")


def test_all_missing_settings_are_reported_at_once(binary):
    status, found = check(binary, {})
    assert status == 78
    assert {what for what, (finding, mend) in found.items() if finding.startswith("FAULT: ") and mend} == {
        "configuration", "pseudonym key", "keys", "database"}


FAULTS_OF_SETTINGS = [
    ({"LR_LISTEN": "localhost"}, 'LR_LISTEN is "localhost", which has no port. Write HOST:PORT'),
    ({"LR_LISTEN": "localhost:"}, 'LR_LISTEN is "localhost:", which has no port from 1 to 65535'),
    ({"LR_LISTEN": "localhost:0"}, 'LR_LISTEN is "localhost:0", which has no port from 1 to 65535'),
    ({"LR_LISTEN": "127.0.0.1:65536"}, "which has no port from 1 to 65535"),
    ({"LR_LISTEN": "127.0.0.1:http"}, "which has no port from 1 to 65535"),
    ({"LR_LISTEN": "::1:8080"}, 'LR_LISTEN is "::1:8080", which has an IPv6 address without brackets'),
    ({"LR_LISTEN": "http://127.0.0.1:8080"}, "which has a host that is neither a name nor an address"),
    ({"LR_LISTEN": "register.invalid:8080"}, 'LR_LISTEN is "register.invalid:8080", whose host cannot be resolved'),
    ({"LR_ADMIN_LISTEN": "localhost"}, 'LR_ADMIN_LISTEN is "localhost", which has no port. Write HOST:PORT'),
    ({"LR_LISTEN": "127.0.0.1:9", "LR_ADMIN_LISTEN": "127.0.0.1:9"}, "are the same address"),
    ({"LR_PUBLIC_URL": "register.example"},
     'LR_PUBLIC_URL is "register.example", which does not begin with https:// or http://. Write it like https://'),
    ({"LR_PUBLIC_URL": "ftp://register.example"}, "which does not begin with https:// or http://"),
    ({"LR_PUBLIC_URL": "https://register.example/"}, 'LR_PUBLIC_URL is "https://register.example/", which ends with'),
    ({"LR_PUBLIC_URL": "https://register.example/v1/"}, "which ends with a slash"),
    ({"LR_PUBLIC_URL": "https://"}, "LR_PUBLIC_URL is"),
    ({"LR_PUBLIC_URL": "https://register.example?a=b"}, "which has a user, a query or a fragment"),
    ({"LR_PUBLIC_URL": 'https://register.example"'}, "which has a character that must not be in an address"),
    ({"LR_TRUSTED_PROXIES": "10.0.0.0/33"}, 'LR_TRUSTED_PROXIES must be addresses, or networks'),
    ({"LR_AUDIENCE": ""}, "LR_AUDIENCE is set and empty"),
    ({"LR_TOKEN_CLIENT_CLAIMS": ""}, "LR_TOKEN_CLIENT_CLAIMS is set and empty"),
    ({"LR_TOKEN_SCOPE_CLAIMS": "scp scp"}, 'LR_TOKEN_SCOPE_CLAIMS is "scp scp": it must be names of claims'),
    ({"LR_TOKEN_ORGANISATION_CLAIM": "a b"}, 'LR_TOKEN_ORGANISATION_CLAIM is "a b": it must be the name of a claim'),
    ({"LR_TOKEN_SCOPE_PREFIX": "a b"}, "LR_TOKEN_SCOPE_PREFIX"),
    ({"LR_TOKEN_SUBJECT": "maybe"}, 'LR_TOKEN_SUBJECT is "maybe": it must be required or optional'),
    ({"LR_AUDIENCE": "register "}, 'LR_AUDIENCE is "register ", with a blank'),
    ({"LR_LOG_LEVEL": "loud"}, 'LR_LOG_LEVEL is "loud"'),
]


@pytest.mark.parametrize("changes, said", FAULTS_OF_SETTINGS, ids=str)
def test_a_setting_that_serve_refuses_is_reported_with_its_value_and_repair(instance, settings, changes, said):
    status, found = findings(instance.binary, {**settings, **changes}, "--settings")
    served = run(instance.binary, "serve", env={"PATH": os.environ["PATH"], **settings, **changes})
    assert (status, served.returncode) == (78, 78)
    assert any(line.startswith("configuration: FAULT: ") and said in line for line in found), found
    assert said in served.stdout


def test_a_user_in_the_public_address_is_not_shown(instance, settings):
    _, found = findings(instance.binary, {**settings, "LR_PUBLIC_URL": "https://me:hunter2@register.example"},
                        "--settings")
    assert found and "hunter2" not in "".join(found)


@pytest.mark.parametrize("text, said, secret", [
    ("host=/nonexistent user=register_service password=hunter2", "No such file or directory", "hunter2"),
    ("host=127.0.0.1 port=1 password=hunter2", "Connection refused", "hunter2"),
    ("dbname=register password=correct horse", 'missing "=" after "..." in connection info string', "horse"),
    ('dbname=register password=a"b horse', 'missing "=" after "..." in connection info string', "horse"),
    ("password=correct horse=battery dbname=register", 'invalid connection option "..."', "horse"),
    ("postgresql://me:hunter2%zz@db.example.org/register", "invalid percent-encoded token", "hunter2"),
    ("postgresql://me:hunter2@[db.example.org/register", "end of string reached", "hunter2"),
    ("host=SOCKET user=nobody_known password=hunter2", 'role "nobody_known" does not exist', "hunter2"),
    ("host=SOCKET user=postgres dbname=nowhere", 'database "nowhere" does not exist', "hunter2"),
    ("host=SOCKET user=postgres sslmode=sometimes", 'invalid sslmode value: "sometimes"', "hunter2"),
], ids=str)
@pytest.mark.parametrize("words", [("check", "--database"), ("serve",), ("check", "audit")], ids=" ".join)
def test_an_unusable_database_is_reported_in_libpq_s_words_without_a_secret(instance, settings, cluster, words,
                                                                            text, said, secret):
    text = text.replace("SOCKET", str(cluster.folder))
    done = run(instance.binary, *words, env={"PATH": os.environ["PATH"], **settings, "LR_DATABASE": text})
    assert (done.returncode in (69, 78), said in done.stdout, secret in done.stdout) == (True, True, False), done.stdout
    assert "LR_DATABASE" in done.stdout


@pytest.mark.parametrize("text, said, secret", [
    ("host=/nonexistent user=postgres", "No such file or directory", "hunter2"),
    ("dbname=register password=correct horse", 'missing "=" after "..." in connection info string', "horse")], ids=str)
def test_migrate_reports_an_unusable_database_too(instance, settings, text, said, secret):
    done = run(instance.binary, "migrate", env={"PATH": os.environ["PATH"], **settings, "LR_MIGRATION_DATABASE": text})
    assert (said in done.stdout, secret in done.stdout, "LR_MIGRATION_DATABASE" in done.stdout) == (True, False, True)


def test_an_unreachable_standby_is_a_warning(instance, settings):
    status, found = findings(instance.binary, {**settings, "LR_READ_DATABASE": "host=/nonexistent"}, "--database")
    assert (status, len(found)) == (0, 1)
    assert found[0].startswith("standby: WARNING: LR_READ_DATABASE: the database cannot be reached: ")
    assert "No such file or directory" in found[0]


def test_a_port_in_use_is_a_fault_unless_the_service_uses_it(instance, settings):
    assert findings(instance.binary, settings, "--settings") == (0, [])  # it is running
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        other.listen(1)
        taken = {**settings, "LR_LISTEN": f"127.0.0.1:{other.getsockname()[1]}",
                 "LR_ADMIN_LISTEN": f"127.0.0.1:{free_port()}"}
        status, found = findings(instance.binary, taken)
        served = run(instance.binary, "serve", env={"PATH": os.environ["PATH"], **taken})
        before_restart = findings(instance.binary, taken, "--settings")
    assert (status, len(found), before_restart) == (78, 1, (0, []))
    for said in (found[0], served.stdout):
        assert f'LR_LISTEN: cannot listen on "{taken["LR_LISTEN"]}": Address already in use.' in said
    assert served.returncode == 78


def test_an_address_of_another_machine_is_a_fault(instance, settings):
    elsewhere = {**settings, "LR_LISTEN": "192.0.2.1:8080", "LR_PUBLIC_URL": "https://register.example"}
    status, found = findings(instance.binary, elsewhere, "--settings")
    served = run(instance.binary, "serve", env={"PATH": os.environ["PATH"], **elsewhere})
    said = 'LR_LISTEN: cannot listen on "192.0.2.1:8080": Cannot assign requested address.'
    assert (status, served.returncode, any(said in line for line in found), said in served.stdout) == (
        78, 78, True, True)


@pytest.mark.parametrize("words", [("--settings", "--database"), ("--health", "--settings"), ("audit", "--settings")],
                         ids=" ".join)
def test_check_can_check_one_part(binary, words):
    assert run(binary, "check", *words, env={}).returncode == 64


def test_the_settings_are_checked_without_the_database(instance, settings):
    away = {**settings, "LR_DATABASE": "host=/nonexistent"}
    assert findings(instance.binary, away, "--settings") == (0, [])
    assert findings(instance.binary, {**settings, "LR_LISTEN": "localhost"}, "--database") == (0, [])


@pytest.mark.parametrize("changes, status, what", [
    ({"LR_PSEUDONYM_KEY_FILE": "/dev/null"}, 78, "pseudonym key"),
    ({"LR_DEV_SECRET_FILE": "/nonexistent"}, 78, "keys"),
    ({"LR_LOG_LEVEL": "loud"}, 78, "configuration"),
    ({"LR_WEBHOOK_HOSTS": "https://example.org"}, 78, "webhooks"),
    ({"LR_WEBHOOK_NETWORKS": "10.0.0.1/8"}, 78, "webhooks"),
    ({"LR_WEBHOOK_KEY_FILE": "/dev/null"}, 78, "webhooks"),
    ({"LR_WEBHOOK_CA_FILE": "/nonexistent"}, 78, "webhooks"),
    ({"LR_DATABASE": "host=/nonexistent user=register_service"}, 69, "database"),
    ({"LR_TLS_CERTIFICATE_FILE": "/dev/null", "LR_TLS_KEY_FILE": "/dev/null"}, 78, "TLS"),
    ({"LR_TLS_CERTIFICATE_FILE": "/nonexistent", "LR_TLS_KEY_FILE": "/dev/null"}, 78, "TLS"),
    ({"LR_READ_DATABASE": "host=a b"}, 78, "standby"),
    ({"LR_MIGRATION_DATABASE": "host=a b"}, 78, "migration database"),
], ids=str)
def test_a_fault_is_reported_with_its_repair(instance, settings, changes, status, what):
    got, found = check(instance.binary, {**settings, **changes})
    faults = {each: mend for each, (finding, mend) in found.items() if not finding.startswith("in order")}
    assert got == status and list(faults) == [what] and faults[what]


def test_a_key_set_that_cannot_be_fetched_is_a_fault(instance, settings):
    del settings["LR_DEV_SECRET_FILE"]
    status, found = check(instance.binary, {**settings, "LR_JWKS_URL": f"http://127.0.0.1:{free_port()}/"})
    assert (status, found["keys"][0].split(":")[0], bool(found["keys"][1])) == (69, "FAULT", True)


def test_a_role_that_row_level_security_does_not_bind_is_a_fault(instance, settings, cluster):
    status, found = check(instance.binary, {**settings, "LR_DATABASE": cluster.connection_string("postgres")})
    assert (status, "superuser" in found["role"][0], bool(found["role"][1])) == (78, True, True)


def test_an_outdated_schema_is_reported_with_the_command_migrate(instance, settings, cluster):
    row = cluster.execute("delete from register.schema_file where path = (select max(path) from "
                          "register.schema_file) returning path, checksum, applied_at")[0]
    try:
        status, found = check(instance.binary, settings)
    finally:
        instance.run("migrate")
    assert (status, row[0] in found["schema"][0], "migrate" in found["schema"][1]) == (78, True, True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    for name in ("one", "two"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout",
                        folder / f"{name}.key", "-out", folder / f"{name}.crt", "-subj", f"/CN={name}"],
                       check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("key, status", [("one", 0), ("two", 78)])
def test_a_certificate_must_match_its_key(instance, settings, certificates, key, status):
    got, found = check(instance.binary, {**settings, "LR_TLS_CERTIFICATE_FILE": str(certificates / "one.crt"),
                                         "LR_TLS_KEY_FILE": str(certificates / f"{key}.key")})
    assert (got, found["TLS"][0].startswith("in order")) == (status, status == 0)


def test_a_database_that_was_never_migrated_lacks_its_schema(binary, keys):
    own = blank()
    try:
        own.execute("create role register_service login")
        made = Instance(own, keys)
        status, found = check(binary, {name: value for name, value in made.environment.items()
                                       if name.startswith("LR_")})
    finally:
        own.remove()
    assert (status, "migrate" in found["schema"][1]) == (78, True)


def test_health_reports_whether_the_service_is_ready(instance):
    asked = run(instance.binary, "check", "--health", env=instance.environment)
    away = run(instance.binary, "check", "--health",
               env={**instance.environment, "LR_ADMIN_LISTEN": f"127.0.0.1:{free_port()}"})
    assert (asked.returncode, '"ready":true' in asked.stdout, away.returncode) == (0, True, 69)
