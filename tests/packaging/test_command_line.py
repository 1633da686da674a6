"""The command line as people meet it: help, manual, completion, and what `check` finds."""
import os
import re
import subprocess

import pytest

from commands import ROOT, run
from cluster import blank
from service import Instance, free_port

COMMANDS = ["serve", "migrate", "token", "check", "version"]
MANUAL = ROOT / "deploy" / "man" / "learning-reviews.8"
COMPLETION = ROOT / "deploy" / "completion" / "learning-reviews"


def plain_manual():
    """The manual's source without its markup."""
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
    assert re.findall(r"^  ([a-z]+) {2,}\S", text, re.MULTILINE) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_is_the_same_either_way(binary, command):
    assert help_of(binary, command) == run(binary, command, "--help").stdout


@pytest.mark.parametrize("words", [[], ["shout"], ["serve", "--shout"], ["serve", "now"], ["check", "--health=1"],
                                   ["token", "--role"], ["token", "--role", "king"], ["token"],
                                   ["token", "--role", "agency", "--client", "a"],
                                   ["token", "--role", "agency", "--seconds", "0"],
                                   ["token", "--role", "agency", "--seconds", "86401"],
                                   ["token", "--role", "agency", "--seconds", "9x"]], ids=" ".join)
def test_a_wrong_command_line_is_refused_and_says_where_to_look(binary, words):
    refused = run(binary, *words, env={"LR_MODE": "dev"})
    assert refused.returncode == 64 and refused.stdout


def test_the_manual_is_clean():
    checked = run("man", "--warnings", "--encoding=UTF-8", "-l", MANUAL,
                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_manual_knows_every_command_option_role_and_setting(binary):
    settings = re.findall(r'^    \{"(LR_[A-Z_]+)"', (ROOT / "service/config.c").read_text(), re.MULTILINE)
    words = [*COMMANDS, *roles_of(binary), *settings, "LR_MODE",
             *(option for command in COMMANDS for option in options_of(binary, command))]
    manual = set(re.findall(r"[\w-]+", plain_manual()))
    assert len(settings) > 20 and [word for word in words if word not in manual] == []


def test_every_role_is_in_the_help_and_gets_a_token(instance):
    main = (ROOT / "service/main.c").read_text()
    roles = re.findall(r'^    \{"([a-z-]+)",', main[main.index("roles[]"):], re.MULTILINE)
    assert sorted(roles) == sorted(roles_of(instance.binary))
    assert all(instance.run("token", "--role", role).count(".") == 2 for role in roles)


def complete(*words):
    """What bash offers for the last word."""
    script = """source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _learning_reviews
        printf '%s\\n' "${COMPREPLY[@]}" """
    return set(run("bash", "-c", script, "bash", COMPLETION, "learning-reviews", *words).stdout.split())


def test_completion_offers_the_commands(binary):
    assert complete("") == {*COMMANDS, "help", "--config", "--help", "--version"}
    assert complete("--config", "x", "ser") == {"serve"}
    assert complete("help", "") == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_completion_offers_the_options_that_help_lists(binary, command):
    topics = {"audit"} if command == "check" else set()
    assert complete(command, "") == options_of(binary, command) | topics


def test_completion_offers_the_roles(binary):
    assert complete("token", "--role", "") == set(roles_of(binary))


def test_completion_offers_files_for_the_configuration(tmp_path):
    (tmp_path / "settings.conf").write_text("")
    assert complete("--config", f"{tmp_path}/se") == {f"{tmp_path}/settings.conf"}


def check(binary, settings):
    """The status of `check`, and what it says of each thing."""
    done = run(binary, "check", env={"PATH": os.environ["PATH"], **settings})
    lines = re.findall(r"^([A-Za-z ]+): (in order|FAULT: .*)(?:, .*)?\n(?:    mend it: (.+))?", done.stdout,
                       re.MULTILINE)
    return done.returncode, {what: (finding, mend) for what, finding, mend in lines}


@pytest.fixture
def settings(instance):
    return {name: value for name, value in instance.environment.items() if name.startswith("LR_")}


def test_a_service_that_is_in_order_is_said_to_be(instance, settings):
    status, found = check(instance.binary, settings)
    assert status == 0
    assert {what: finding for what, (finding, _) in found.items()} == dict.fromkeys(
        ["configuration", "pseudonym key", "keys", "TLS", "webhooks", "database", "role", "schema", "durability"],
        "in order")


def test_everything_that_is_missing_is_said_at_once(binary):
    status, found = check(binary, {})
    assert status == 78
    assert {what for what, (finding, mend) in found.items() if finding.startswith("FAULT: ") and mend} == {
        "configuration", "pseudonym key", "keys", "database"}


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
], ids=str)
def test_a_fault_is_named_with_how_to_mend_it(instance, settings, changes, status, what):
    got, found = check(instance.binary, {**settings, **changes})
    faults = {each: mend for each, (finding, mend) in found.items() if finding.startswith("FAULT")}
    assert got == status and list(faults) == [what] and faults[what]


def test_a_key_set_that_cannot_be_fetched_is_a_fault(instance, settings):
    del settings["LR_DEV_SECRET_FILE"]
    status, found = check(instance.binary, {**settings, "LR_JWKS_URL": f"http://127.0.0.1:{free_port()}/"})
    assert (status, found["keys"][0].split(":")[0], bool(found["keys"][1])) == (69, "FAULT", True)


def test_a_role_that_is_not_bound_is_a_fault_of_the_configuration(instance, settings, cluster):
    status, found = check(instance.binary, {**settings, "LR_DATABASE": cluster.connection_string("postgres")})
    assert (status, "superuser" in found["role"][0], bool(found["role"][1])) == (78, True, True)


def test_a_schema_that_is_not_current_is_to_be_migrated(instance, settings, cluster):
    row = cluster.execute("delete from register.schema_file where path = (select max(path) from "
                          "register.schema_file) returning path, checksum, applied_at")[0]
    try:
        status, found = check(instance.binary, settings)
    finally:
        cluster.execute("insert into register.schema_file values (%s, %s, %s)", row)
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
def test_a_certificate_has_to_go_with_its_key(instance, settings, certificates, key, status):
    got, found = check(instance.binary, {**settings, "LR_TLS_CERTIFICATE_FILE": str(certificates / "one.crt"),
                                         "LR_TLS_KEY_FILE": str(certificates / f"{key}.key")})
    assert (got, found["TLS"][0].startswith("in order")) == (status, status == 0)


def test_a_database_that_was_never_migrated_is_said_to_lack_its_schema(binary, keys):
    own = blank()
    try:
        own.execute("create role register_service login")
        made = Instance(own, keys)
        status, found = check(binary, {name: value for name, value in made.environment.items()
                                       if name.startswith("LR_")})
    finally:
        own.remove()
    assert (status, "migrate" in found["schema"][1]) == (78, True)


def test_health_says_whether_the_service_is_ready(instance):
    asked = run(instance.binary, "check", "--health", env=instance.environment)
    away = run(instance.binary, "check", "--health",
               env={**instance.environment, "LR_ADMIN_LISTEN": f"127.0.0.1:{free_port()}"})
    assert (asked.returncode, '"ready":true' in asked.stdout, away.returncode) == (0, True, 69)
