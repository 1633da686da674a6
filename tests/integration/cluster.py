"""A private PostgreSQL cluster: its own folder, socket only, removed after the tests.

`initdb` and the migrations take seconds, but a copy of their files is instant. So the first cluster of a kind makes a
template in the folder that LR_TEMPLATE names: a stopped cluster with a migrated database. Each cluster is a copy of it.
LR_POSTGRESQL names a folder with other PostgreSQL programs than the newest installed ones, LR_CLUSTERS the folder of
the clusters (/tmp).
"""
import atexit
import contextlib
import fcntl
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import psycopg2

import day
import warden
from service import program
from waiting import WATCHDOG_S, wait_until

DATABASE = "learning_reviews"
SETTINGS = """
listen_addresses = ''
max_connections = 500
shared_buffers = 64MB
fsync = off
jit = off
"""


def find_programs():
    """Returns the folder with initdb and pg_ctl: that of the newest installed version, or LR_POSTGRESQL."""
    if "LR_POSTGRESQL" in os.environ:
        return pathlib.Path(os.environ["LR_POSTGRESQL"])
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"),
                   key=lambda path: int(path.parts[-3]))
    if not found:
        raise RuntimeError("PostgreSQL's server programs are not installed")
    return found[-1].parent


def unprivileged_user():
    """Returns the user to run PostgreSQL as, because it refuses to run as root; None for the current user."""
    if os.geteuid() != 0:
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Cluster:
    def __init__(self, fill=None):
        """Has a migrated database, unless `fill` fills its folder with something other than a copy of the template."""
        self.programs = find_programs()
        self.user = unprivileged_user()
        # The path is short because the name of a socket may have 107 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lr-", dir=os.environ.get("LR_CLUSTERS", "/tmp")))
        if self.user is not None:
            owner = pwd.getpwnam(self.user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.data = self.folder / "data"
        warden.watch("cluster", self.folder)
        (fill or migrated)(self)
        self.start()

    def run(self, program, *words):
        """Runs one of PostgreSQL's programs as a user that PostgreSQL accepts."""
        command = [str(self.programs / program), *map(str, words)]
        if self.user is not None:
            command = ["runuser", "-u", self.user, "--", *command]
        done = subprocess.run(command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False, timeout=WATCHDOG_S)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stdout.decode(errors='replace')}")

    def start(self):
        self.run("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "-o", f"-k {self.folder}", "start")

    def stop(self, how="immediate"):
        """Stops it like a crash of its machine, unless `how` says otherwise: connections break without a message."""
        self.run("pg_ctl", "-D", self.data, "-m", how, "-w", "stop")

    def connection_string(self, user):
        return f"host={self.folder} user={user} dbname={DATABASE}"

    def execute(self, statement, parameters=None, database=DATABASE):
        """Runs a statement as superuser and returns its rows, if any."""
        link = psycopg2.connect(host=str(self.folder), user="postgres", dbname=database)
        link.autocommit = True
        try:
            with link.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            link.close()

    def use_code(self, database=DATABASE):
        """Makes names refer to the newest version of the code, unless a session chooses another one as programs do."""
        code = self.execute("select name from register.code_version order by number desc limit 1", database=database)[0][0]
        self.execute(f"alter database {database} set search_path = {code}, register", database="postgres")

    @contextlib.contextmanager
    def holding(self, statement, parameters=None):
        """Runs a statement as superuser and leaves it uncommitted, with its locks, inside the block; yields its
        connection."""
        link = psycopg2.connect(host=str(self.folder), user="postgres", dbname=DATABASE)
        try:
            with link.cursor() as cursor:
                cursor.execute(statement, parameters)
            yield link
        finally:
            link.rollback()
            link.close()

    @contextlib.contextmanager
    def open(self):
        """Yields a connection with its own transaction, which is rolled back at the end of the block unless committed.
        """
        link = psycopg2.connect(host=str(self.folder), user="postgres", dbname=DATABASE)
        try:
            yield link
        finally:
            link.close()

    def wait_for_waiter(self, holder, count=1, unless=()):
        """Waits until `count` connections of the service wait, directly or in a queue, for locks of `holder`. Returns
        True then, and False when one of the requests `unless` (futures) was answered before."""
        waiting = """with recursive waiter(pid) as (
                select pid from pg_stat_activity where %s = any (pg_blocking_pids(pid))
                union select a.pid from waiter w join pg_stat_activity a on w.pid = any (pg_blocking_pids(a.pid)))
            select count(*) >= %s from waiter join pg_stat_activity using (pid) where usename = 'register_service'"""

        def waits():
            return self.execute(waiting, (holder.info.backend_pid, count))[0][0]
        wait_until(lambda: any(one.done() for one in unless) or waits(),
                   f"{count} of the service's connections wait for the lock")
        return waits()

    def remove(self):
        try:
            self.stop()
        except RuntimeError:
            pass  # it was already stopped
        shutil.rmtree(self.folder, ignore_errors=True)
        warden.forget("cluster", self.folder)


def initialise(cluster):
    """Makes an empty cluster."""
    cluster.run("initdb", "-D", cluster.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    with open(cluster.data / "postgresql.conf", "a", encoding="utf-8") as settings:
        settings.write(SETTINGS)


def blank():
    """Makes a cluster with a database that was never migrated."""
    made = Cluster(initialise)
    made.execute(f"create database {DATABASE}", database="postgres")
    return made


def template_folder():
    """Returns the folder of the templates; this process removes it at its end unless another process made it."""
    if "LR_TEMPLATE" not in os.environ:
        os.environ["LR_TEMPLATE"] = tempfile.mkdtemp(prefix="lr-template-")
        warden.watch("folder", os.environ["LR_TEMPLATE"])
        atexit.register(shutil.rmtree, os.environ["LR_TEMPLATE"])
    return pathlib.Path(os.environ["LR_TEMPLATE"])


def copied(name, make):
    """Returns a function that fills the folder of a cluster with a copy of the template of this name. `make` makes the
    template, as a cluster, if it does not exist. Tests with another fixed day have their own templates."""
    def fill(cluster):
        template = template_folder() / f"{name}-{os.environ.get(day.VARIABLE, 'any-day')}"
        with open(f"{template}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not template.exists():
                made = make()
                try:
                    made.stop("fast")
                    subprocess.run(["mv", made.data, template], check=True)
                finally:
                    made.remove()
        subprocess.run(["cp", "-a", "--reflink=auto", template, cluster.data], check=True)
    return fill


def make_migrated():
    made = blank()
    subprocess.run([program(), "migrate"], check=True, timeout=WATCHDOG_S, stdout=subprocess.DEVNULL,
                   env={"PATH": os.environ["PATH"], "LR_MODE": "dev",
                        "LR_MIGRATION_DATABASE": made.connection_string("postgres")})
    made.use_code()
    day.keep_in(made)
    return made


migrated = copied("migrated", make_migrated)
