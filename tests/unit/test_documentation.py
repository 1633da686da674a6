"""The documentation: linked pages and named files exist, and its tables list what the program has."""
import functools
import os
import pathlib
import json
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("LR_BINARY", ROOT / "build" / "learning-reviews"))
GUIDE, HANDBOOK = "api/guide.md", "deploy/README.md"
PAGES = sorted(subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT,
                              check=True, text=True, stdout=subprocess.PIPE).stdout.split())


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def without_blocks(text):
    return re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.MULTILINE | re.DOTALL)


def github_anchor(title):
    """Returns GitHub's anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", re.sub(r"[`*]|\]\([^)]*\)", "", title).lower()).replace(" ", "-")


@functools.lru_cache
def anchors(path):
    found = {}
    for title in re.findall(r"^#+ +(.+?) *$", without_blocks(read(path)), re.MULTILINE):
        name = github_anchor(title)
        found[name] = found.get(name, 0) + 1
    return set(found) | {f"{name}-{number}" for name, count in found.items() for number in range(1, count)}


@functools.lru_cache
def contract():
    return yaml.load(read("openapi.yaml"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@functools.lru_cache
def anchors_of_the_served_pages():
    """Returns the anchors of operations, schemas, tags and pages; the chapters of the guide have those of their titles."""
    operations = [operation["operationId"] for item in contract()["paths"].values() for operation in item.values()
                  if isinstance(operation, dict) and "operationId" in operation]
    return ({f"operation-{name}" for name in operations}
            | {f"schema-{name}" for name in contract()["components"]["schemas"]}
            | {f"tag-{re.sub(r'[^a-z0-9]+', '-', tag['name'].lower())}" for tag in contract()["tags"]}
            | {"operations", "examples", "problems", "scopes", "stages"})


def test_there_are_pages():
    assert {"README.md", GUIDE, HANDBOOK, ".github/SECURITY.md"} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_links_resolve(page):
    text = re.sub(r"`[^`\n]*`", "", without_blocks(read(page)))
    dead = []
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        place = os.path.normpath(os.path.join(os.path.dirname(page), file)) if file else page
        known = anchors(place) if place in PAGES else set()
        if place == GUIDE == page:
            known = known | anchors_of_the_served_pages()
        if not (ROOT / place).exists() or (anchor and anchor not in known):
            dead.append(target)
    assert dead == []


@pytest.mark.parametrize("page", PAGES)
def test_named_files_exist(page):
    """`code` that begins with a folder of the repository is a path."""
    named = re.findall(r"`((?:service|api|sql|deploy|tests|\.ci|\.github)/[\w./*-]*)[^`\n]*`", without_blocks(read(page)))
    assert [path for path in named if not list(ROOT.glob(path.rstrip("/")))] == []


def test_the_readme_is_short():
    assert len(read("README.md").splitlines()) <= 200


# ---- tables ----

def section(title, page=HANDBOOK):
    return re.search(rf"^(#+) {re.escape(title)}$(.*?)(?=^#{{1,2}} |\Z)" if f"\n## {title}\n" in read(page) else
                     rf"^(#+) {re.escape(title)}$(.*?)(?=^#+ |\Z)", read(page), re.MULTILINE | re.DOTALL)[2]


def rows(title, first):
    """Returns the rows of those tables in a section whose first column has this name, as lists of cells."""
    found, inside = [], False
    for line in section(title).splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if not cells:
            inside = False
        elif cells[0] == first:
            inside = True
        elif inside and set(cells[0]) != {"-"}:
            found.append(cells)
    assert found, f"{title} has no table of {first}"
    return found


def words(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_the_settings_are_those_of_the_program():
    known = {name: (default, int(least) if kind == "NUMBER" else None, most if kind == "NUMBER" else None)
             for name, kind, default, least, most in re.findall(
                 r'\{"(LR_[A-Z_]+)", (TEXT|NUMBER), AT\([a-z_]+\), (?:"([^"]*)"|NULL), (\w+), (\w+)\}',
                 read("service/config.c"))}
    listed = {words(name)[0]: (words(default), default, values) for name, default, values, _ in rows("Settings", "setting")}
    assert set(listed) == set(known) | {"LR_MODE"}
    for name, (default, least, most) in known.items():
        shown, cell, values = listed[name]
        if default:
            assert shown == [default], name
        else:
            assert cell.startswith(("none", "from", "the ", "4 ×", "`LR_")), name
        if least is not None:
            assert values == (f"{least} or more" if most == "INT_MAX" else f"{least} to {most}"), name


def test_the_manual_has_every_setting():
    manual = read("deploy/man/learning-reviews.8")
    assert [name for row in rows("Settings", "setting") for name in words(row[0]) if name not in manual] == []


def program(*arguments):
    return subprocess.run([PROGRAM, *arguments], check=True, text=True, stdout=subprocess.PIPE).stdout


def test_the_commands_are_those_of_the_program():
    listed = {words(command)[0]: set(words(options)) for command, options, _ in rows("Commands", "command")}
    commands = set(re.findall(r"^  ([a-z-]+) +\S", program("--help"), re.MULTILINE)) - {"help"}
    assert set(listed) == commands - {"learning-reviews"}
    for command, options in listed.items():
        helped = set(re.findall(r"^  (--[a-z]+)", program("help", command), re.MULTILINE))
        assert options == helped - {"--config", "--help"}, command


def test_the_exit_statuses_are_those_of_the_program():
    statuses = {"EX_OK": 0, "EX_USAGE": 64, "EX_UNAVAILABLE": 69, "EX_CONFIG": 78}
    used = set(re.findall(r"\bEX_[A-Z]+\b", "".join(path.read_text(encoding="utf-8")
                                                    for path in (ROOT / "service").rglob("*.c"))))
    # EX_NOINPUT is not a status of the process: it becomes EX_CONFIG.
    assert used - {"EX_NOINPUT"} - set(statuses) <= {"EX_SOFTWARE", "EX_SIZE"}
    listed = {int(status) for status, _ in rows("Commands", "exit status")}
    manual = read("deploy/man/learning-reviews.8").split(".SH EXIT STATUS")[1].split(".SH ")[0]
    assert listed == {int(each) for each in re.findall(r"^\.B (\d+)$", manual, re.MULTILINE)}
    assert listed == set(statuses.values()) | {1}


def test_the_scopes_are_those_of_the_contract():
    listed = [scope for row in rows("Access tokens", "scope") for scope in words(row[0])]
    known = contract()["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"]
    assert sorted(listed) == sorted(known)


def test_the_scopes_for_identity_providers_are_those_of_the_contract():
    known = contract()["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"]
    realm = json.loads(read("deploy/identity/keycloak-realm.json"))
    keycloak = {scope["name"]: scope["description"] for scope in realm["clientScopes"]}
    assert keycloak.pop("learning-reviews")
    entra = {role["value"]: role["description"] for role in json.loads(read("deploy/identity/entra-app-roles.json"))}
    assert (keycloak, entra) == (known, known)
    assert [client for client in realm["clients"] if "secret" in client] == []


def test_the_alerts_are_those_of_prometheus():
    listed = [(words(alert)[0], severity) for alert, severity, _ in rows("Alerts", "alert")]
    known = yaml.safe_load(read("deploy/observability/alerts.yml"))["groups"][0]["rules"]
    assert listed == [(rule["alert"], rule["labels"]["severity"]) for rule in known]


def test_every_metric_is_in_the_source():
    """tests/integration/test_operation.py checks that every served metric is listed."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "service").rglob("*.c"))
    listed = [words(row[0])[0] for row in rows("Metrics", "metric")]
    assert len(listed) == len(set(listed)) > 50
    assert [name for name in listed if f'"{name}"' not in source] == []


def test_the_members_of_the_log_are_those_of_the_program():
    listed = {name for row in rows("Log", "member") for name in words(row[0])}
    source = read("service/log.c")
    known = set(re.findall(r'put_(?:member|number)\(&?out, "(\w+)"', source)) | {"time"}
    assert listed == known


def test_the_libraries_of_the_build_have_a_reason():
    libraries = re.search(r"^set\(MODULES (.*?)\)", read("CMakeLists.txt"), re.MULTILINE)[1].split()
    table = section("Dependencies")
    assert [name for name in libraries if name not in table and name.removeprefix("lib") not in table] == []


def test_the_version_is_the_same_everywhere():
    version = re.search(r"^project\(.* VERSION (\S+)", read("CMakeLists.txt"), re.MULTILINE)[1]
    assert contract()["info"]["version"] == version
    assert read("deploy/debian/changelog").startswith(f"learning-reviews ({version})")
    assert f'"learning-reviews {version}"' in read("deploy/man/learning-reviews.8").splitlines()[0]
    assert f"newTag: {version}\n" in read("deploy/kubernetes/kustomization.yaml")
    for log in ("api/CHANGELOG.md", "deploy/CHANGELOG.md"):
        assert re.search(r"^## (\S+)", read(log), re.MULTILINE)[1] == version, log


def test_the_workflow_runs_the_required_check_on_debian_12():
    job = yaml.safe_load(read(".github/workflows/check.yml"))["jobs"]["required"]
    assert (job["container"]["image"], job["steps"][-1]["run"]) == ("debian:12", ".ci/run")
