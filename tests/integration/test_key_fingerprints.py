"""The register stores fingerprints of the keys that it has used: with another key the service does not start."""
import os
import re
import secrets
import select
import subprocess

import pytest

from cluster import Cluster
from service import Instance


@pytest.fixture(scope="module")
def register():
    """A separate migrated database with which no key was used yet."""
    made = Cluster()
    made.execute("alter database learning_reviews rename to made", database="postgres")
    yield made
    made.remove()


@pytest.fixture(autouse=True)
def _whole_database(register):
    register.execute("drop database if exists learning_reviews with (force)", database="postgres")
    register.execute("create database learning_reviews template made", database="postgres")
    register.use_code()


@pytest.fixture
def other_key(tmp_path):
    path = tmp_path / "key"
    path.write_text(secrets.token_hex(32), encoding="ascii")
    path.chmod(0o600)
    return path


@pytest.fixture
def instance(register, keys):
    """Makes instances: instance(LR_PSEUDONYM_KEY_FILE=…)."""
    made = []

    def make(**settings):
        made.append(Instance(register, keys, **settings))
        return made[-1]
    yield make
    for each in made:
        each.stop()


def run(instance, *words):
    return subprocess.run([instance.binary, *words], env=instance.environment, capture_output=True, text=True,
                          timeout=60, check=False)


def fingerprints(register):
    return dict(register.execute("select key, (salt, iterations, hash, recorded_at)::text from register.key_fingerprint"))


def replacements(register):
    return register.execute("""select organisation, kind, split_part(request, ':', 1) from register.audit_entry
        where operation = 'replaceKey' order by number""")


def test_the_first_start_records_both_keys_and_later_ones_change_nothing(register, instance):
    assert "pseudonym key not recorded yet" in run(instance(), "check").stdout and fingerprints(register) == {}
    instance().start().stop()
    first = fingerprints(register)
    assert set(first) == {"pseudonym", "webhook"}
    instance().start().stop()
    assert fingerprints(register) == first
    assert "key fingerprints: in order, pseudonym key as recorded on " in run(instance(), "check").stdout


def test_webhooks_that_are_off_need_no_key(register, instance):
    instance(LR_WEBHOOK_KEY_FILE=None, LR_WEBHOOK_HOSTS=None).start().stop()
    assert set(fingerprints(register)) == {"pseudonym"}


@pytest.mark.parametrize("setting", ["LR_PSEUDONYM_KEY_FILE", "LR_WEBHOOK_KEY_FILE"])
def test_another_key_fails_start_and_check(register, instance, other_key, setting):
    instance().start().stop()
    before = fingerprints(register)
    wrong = instance(**{setting: other_key})
    served, checked = run(wrong, "serve"), run(wrong, "check")
    assert (served.returncode, checked.returncode) == (78, 78)
    for said in (served.stderr, checked.stdout):
        assert re.search(f"{setting}: .* holds another key than the register has used since .*replace-key", said), said
    assert fingerprints(register) == before


def test_a_fingerprint_does_not_reveal_the_key(register, instance, keys):
    instance().start().stop()
    key = keys.pseudonym_file.read_text(encoding="ascii")
    salted, plain = register.execute("""select count(distinct salt) = 2 and min(iterations) >= 100000,
        bool_or(hash in (sha256(%s), sha256(salt || %s), sha256(%s || salt))) from register.key_fingerprint""",
                                     [key.encode()] * 3)[0]
    assert (salted, plain) == (True, False)


def test_of_two_instances_with_different_keys_that_start_together_one_is_refused(instance, other_key):
    both = [instance(), instance(LR_PSEUDONYM_KEY_FILE=other_key)]
    for each in both:
        each.process = subprocess.Popen([each.binary, "serve"], env=each.environment, stdout=each.log,
                                        stderr=subprocess.STDOUT)
    refused = wait_for_the_first_end(both)
    served = both[1 - both.index(refused)]
    assert refused.process.returncode == 78 and "holds another key" in refused.log_text()
    assert not served.has_ended()


def wait_for_the_first_end(instances):
    """Returns the instance that ends by itself."""
    handles = {os.pidfd_open(each.process.pid): each for each in instances}
    ended, _, _ = select.select(list(handles), [], [], 60)
    assert len(ended) == 1
    found = handles[ended[0]]
    found.process.wait()
    for handle in handles:
        os.close(handle)
    return found


def test_a_key_is_replaced_after_confirmation(register, instance, other_key):
    instance().start().stop()
    before, new = fingerprints(register), instance(LR_PSEUDONYM_KEY_FILE=other_key)
    explained = run(new, "replace-key", "--key", "pseudonym")
    assert explained.returncode == 64 and "is not matched with itself" in explained.stdout
    assert run(new, "replace-key", "--key", "pseudonym", "--confirm", "yes").returncode == 64
    assert (fingerprints(register), replacements(register)) == (before, [])
    confirmation = explained.stdout.rpartition("--confirm ")[2].strip()
    done = run(new, "replace-key", "--key", "pseudonym", "--confirm", confirmation)
    assert (done.returncode, done.stdout) == (0, "the pseudonym key in LR_PSEUDONYM_KEY_FILE is the register's key now\n")
    after = fingerprints(register)
    assert after["webhook"] == before["webhook"] and after["pseudonym"] != before["pseudonym"]
    assert replacements(register) == [("register", "change", "pseudonym")]
    assert run(instance(), "serve").returncode == 78
    new.start()


def test_a_key_is_not_replaced_while_the_service_is_running(register, instance, other_key):
    running = instance().start()
    before = fingerprints(register)
    done = run(instance(LR_WEBHOOK_KEY_FILE=other_key), "replace-key", "--key", "webhook", "--confirm",
               "all-secrets-change")
    assert (done.returncode, "stop every instance first" in done.stderr) == (69, True)
    assert (fingerprints(register), replacements(register)) == (before, [])
    assert running.admin("/readyz")[0] == 200


@pytest.mark.parametrize("words", [[], ["--key", "token"], ["--key"]], ids=" ".join)
def test_only_these_two_keys_can_be_replaced(instance, words):
    assert run(instance(), "replace-key", *words).returncode == 64


def test_the_service_role_cannot_change_a_fingerprint(register, instance):
    instance().start().stop()
    before = fingerprints(register)
    for attempt in ("update register.key_fingerprint set hash = sha256('x')", "delete from register.key_fingerprint",
                    "select key_fingerprint_replace('webhook', 'x', 100000, 'x')"):
        with pytest.raises(Exception, match="permission denied"):
            register.execute("set role register_service; " + attempt)
    register.execute("""set role register_service;
        select key_fingerprint_record('webhook', substr(sha256('x'), 1, 16), 100000, sha256('y'))""")
    assert fingerprints(register) == before
