"""A private PostgreSQL cluster: own folder, socket only, gone after the tests."""
import contextlib
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import psycopg2

DATABASE = "learning_reviews"
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 500
shared_buffers = 64MB
fsync = off
"""


def find_programs():
    """The folder with initdb and pg_ctl: that of the newest version installed."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"),
                   key=lambda path: int(path.parts[-3]))
    if not found:
        raise RuntimeError("PostgreSQL's server programs are not installed")
    return found[-1].parent


def unprivileged_user():
    """PostgreSQL refuses to run as root: whom to run it as then, or None."""
    if os.geteuid() != 0:
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Cluster:
    def __init__(self):
        self.programs = find_programs()
        self.user = unprivileged_user()
        # A short path: the name of a socket may have 107 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lr-", dir="/tmp"))
        if self.user is not None:
            owner = pwd.getpwnam(self.user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.data = self.folder / "data"
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as settings:
            settings.write(SETTINGS.format(folder=self.folder))
        self.start()
        self.execute(f"create database {DATABASE}", database="postgres")

    def _run(self, program, *words):
        command = [str(self.programs / program), *map(str, words)]
        if self.user is not None:
            command = ["runuser", "-u", self.user, "--", *command]
        done = subprocess.run(command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stdout.decode(errors='replace')}")

    def start(self):
        self._run("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "start")

    def stop(self):
        """Like a crash of the machine it runs on: connections break without a farewell."""
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def connection_string(self, user):
        return f"host={self.folder} user={user} dbname={DATABASE}"

    def execute(self, statement, parameters=None, database=DATABASE):
        """Runs a statement as superuser and returns its rows, if it has any."""
        link = psycopg2.connect(host=str(self.folder), user="postgres", dbname=database)
        link.autocommit = True
        try:
            with link.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            link.close()

    @contextlib.contextmanager
    def holding(self, statement, parameters=None):
        """Runs a statement as superuser and leaves it uncommitted, with its locks, for a while."""
        link = psycopg2.connect(host=str(self.folder), user="postgres", dbname=DATABASE)
        try:
            with link.cursor() as cursor:
                cursor.execute(statement, parameters)
            yield
        finally:
            link.rollback()
            link.close()

    @contextlib.contextmanager
    def open(self):
        """A connection with a transaction of its own, ended with what it leaves uncommitted."""
        link = psycopg2.connect(host=str(self.folder), user="postgres", dbname=DATABASE)
        try:
            yield link
        finally:
            link.close()

    def remove(self):
        try:
            self.stop()
        except RuntimeError:
            pass  # it is stopped already
        shutil.rmtree(self.folder, ignore_errors=True)
