"""The image and the composition, without a container engine: their definitions, and the scripts that they run."""
import re

import pytest
import yaml

from commands import ROOT, box, run
from cluster import DATABASE, blank

FOLDER = ROOT / "deploy" / "container"
CONTAINERFILE = FOLDER / "Containerfile"


def instructions():
    """Returns the instructions of the Containerfile, with continued lines joined."""
    text = re.sub(r"\\\n\s*", "", CONTAINERFILE.read_text())
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line and not line.startswith("#")]


def values(name):
    return [value for instruction, value in instructions() if instruction == name]


@pytest.fixture(scope="module")
def composition():
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())


def test_both_stages_start_from_debian():
    assert [value.split()[0] for value in values("FROM")] == ["debian:12-slim"] * 2


def test_every_step_runs_an_existing_script():
    """So the tests below can run the same steps as RUN."""
    steps = [re.sub(r"--mount=\S+ *", "", value).split() for value in values("RUN")]
    assert steps == [["/source/deploy/package", "/out"], ["/install/install-package", "/out"]]
    mounts = dict(re.findall(r"source=(\S+?),target=(\S+)", " ".join(values("RUN"))))
    assert mounts == {"/source/deploy/container": "/install", "/out": "/out"}
    assert (ROOT / "deploy" / "package").stat().st_mode & 0o111
    assert (FOLDER / "install-package").stat().st_mode & 0o111


def test_the_image_runs_as_an_unprivileged_user_and_has_a_health_check():
    assert values("USER") == ["10001:10001"]
    assert values("ENTRYPOINT") == ['["/usr/bin/learning-reviews"]'] and values("CMD") == ['["serve"]']
    assert re.search(r'CMD \["/usr/bin/learning-reviews", "check", "--health"\]$', values("HEALTHCHECK")[0])


def test_the_image_gets_no_secrets_and_no_build_results():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {"/.git", "/build*", "/deploy/container/secrets"} <= set(ignored)


# The test machine has the libraries: apt-get must install only the package.
IMAGE = r"""
set -e
mkdir /out /fake; cp /box/learning-reviews_*.deb /out
cat >/fake/apt-get <<'END'
#!/bin/sh
case "$*" in *update*) exit 0 ;; esac
exec /usr/bin/apt-get --no-upgrade "$@"
END
chmod +x /fake/apt-get
PATH=/fake:$PATH /box/install-package /out >/dev/null 2>&1
mount -o remount,ro / ; ! touch /etc/x 2>/dev/null
as() { env -i LR_LISTEN=:8080 LR_ADMIN_LISTEN=:8081 "$@"; }
run="setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"
as $run /usr/bin/learning-reviews version
as $run /usr/bin/learning-reviews check --health || echo "health: $?"
as $run /usr/bin/learning-reviews serve || echo "serve: $?"
ls /etc/learning-reviews 2>/dev/null || echo 'no settings in the image'
"""


def test_the_last_step_of_the_image_makes_a_program_that_runs_read_only_and_unprivileged(package):
    made = box(IMAGE, package, FOLDER / "install-package")
    assert (made.returncode, re.sub(r"learning-reviews [0-9.]+, contract [0-9.]+, code [0-9a-z_]+, schema [0-9a-f-]+", "VERSION", made.stdout)) == (
        0, "VERSION\n"
           "learning-reviews: nothing answers at LR_ADMIN_LISTEN; is it serving?\nhealth: 69\n"
           "learning-reviews: LR_DATABASE is not set: it must be a libpq connection string for the role "
           "register_service.\nserve: 78\nno settings in the image\n")


def test_every_container_is_confined(composition):
    for name, service in composition["services"].items():
        confined = (service["read_only"], service["cap_drop"], service["security_opt"])
        assert confined == (True, ["ALL"], ["no-new-privileges:true"]), name
        assert "privileged" not in service and service["tmpfs"]


def test_secrets_are_files_and_each_container_reads_only_its_own(composition):
    services = composition["services"]
    assert services["service"]["secrets"] == ["service.conf", "pseudonym-key"]
    assert services["migrate"]["secrets"] == ["migrate.conf"]
    assert all(set(service["secrets"]) <= set(composition["secrets"]) for service in services.values())
    assert all(secret == {"file": f"secrets/{name}"} for name, secret in composition["secrets"].items())
    assert not re.search("password=|PASSWORD:", (FOLDER / "compose.yaml").read_text())


def test_the_service_starts_on_a_migrated_database(composition):
    services = composition["services"]
    assert services["service"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert services["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert composition["networks"]["inside"] == {"internal": True}
    assert "ports" not in services["database"] and services["database"]["networks"] == ["inside"]


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("composition") / "secrets"
    made = run(FOLDER / "make-secrets", "https://identity.example.org", "https://identity.example.org/jwks", folder)
    assert made.returncode == 0, made.stdout
    return folder


def test_the_secrets_of_the_composition_are_made_once(composition, secrets):
    assert {path.name for path in secrets.iterdir()} == set(composition["secrets"])
    assert all(path.stat().st_mode & 0o077 == 0 for path in secrets.iterdir())
    before = (secrets / "pseudonym-key").read_text()
    again = run(FOLDER / "make-secrets", "a", "b", secrets)
    assert (again.returncode, (secrets / "pseudonym-key").read_text()) == (1, before)


def test_production_accepts_the_settings_of_the_composition(composition, secrets, binary):
    """Except those that need the composition's networks: database and issuer."""
    image = dict(pair.split("=", 1) for pair in values("ENV")[0].split())
    service = {name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value)
               for name, value in composition["services"]["service"]["environment"].items()}
    checked = run(binary, "--config", secrets / "service.conf", "check", env={**image, **service})
    faults = re.findall(r"^(.+): FAULT: (.*)$", checked.stdout, re.MULTILINE)
    assert not {"configuration", "addresses", "TLS"} & {what for what, _ in faults}, faults
    assert [text for what, text in faults if what == "database"][0].startswith(
        "LR_DATABASE: the database cannot be reached: ")
    migrated = run(binary, "--config", secrets / "migrate.conf", "migrate", env={})
    assert "LR_MIGRATION_DATABASE: the database cannot be reached: " in migrated.stdout


def test_a_new_database_gets_the_migrating_and_serving_roles_with_their_passwords(binary, keys, secrets):
    own = blank()
    try:
        made = run(FOLDER / "database-roles", env={
            "PATH": f"{own.programs}:/usr/bin:/bin", "PGHOST": str(own.folder), "SECRETS": str(secrets),
            "POSTGRES_DB": DATABASE})
        assert (made.returncode, made.stdout) == (0, "")
        rules = own.data / "pg_hba.conf"
        rules.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
        own.execute("select pg_reload_conf()")
        settings = {}
        for name in ("migrate.conf", "service.conf"):
            file = secrets.parent / name
            file.write_text((secrets / name).read_text().replace("host=database", f"host={own.folder}")
                            .replace("dbname=register", f"dbname={DATABASE}"))
            settings[name] = file
        migrated = run(binary, "--config", settings["migrate.conf"], "migrate", env={})
        assert migrated.stdout.endswith("the schema is complete\n"), migrated.stdout
        checked = run(binary, "--config", settings["service.conf"], "check",
                      env={"LR_MODE": "dev", "LR_PSEUDONYM_KEY_FILE": str(secrets / "pseudonym-key")})
        for line in ("pseudonym key: in order", "database: in order, reached",
                     "role: in order, bound by row-level security", "schema: in order, current",
                     "database log: in order, holds nothing of requests"):
            assert line in checked.stdout.splitlines(), checked.stdout
    finally:
        own.remove()


def test_shell_scripts_pass_shellcheck():
    checked = run("shellcheck", "-x", FOLDER / "install-package", FOLDER / "make-secrets", FOLDER / "database-roles",
                  ROOT / "deploy/package", ROOT / "tests/packaging/box", ROOT / "deploy/completion/learning-reviews",
                  *(ROOT / "deploy/debian" / name for name in ("postinst", "prerm", "postrm")),
                  "--shell=bash", cwd=ROOT)
    assert (checked.returncode, checked.stdout) == (0, "")
