"""The guide deploy/backup/README.md, all of its commands as they are, on a machine with the package and systemd."""
import re

from commands import ROOT, box
from test_package import INSTALL, JWKS

GUIDE = (ROOT / "deploy" / "backup" / "README.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?```sh\n(.*?)```", GUIDE, re.DOTALL | re.MULTILINE))
SAVE, RECOVER = BLOCKS["Keys and settings"].split("# on the machine that takes its place:\n")
REGISTER = r"""
rm -rf /etc/postgresql/15 /var/lib/postgresql/15  # of the machine that was copied
pg_createcluster 15 main -- --auth-local=trust >/dev/null
systemctl start postgresql@15-main
runuser -u postgres -- createdb register
(umask 077; head -c 48 /dev/urandom | base64 -w 0 >/etc/learning-reviews/pseudonym-key)
mv /box/jwks.json /etc/learning-reviews/
echo 'LR_MIGRATION_DATABASE=host=/var/run/postgresql dbname=register user=postgres' >>/etc/learning-reviews/migrate.conf
cat >>/etc/learning-reviews/learning-reviews.conf <<'END'
LR_DATABASE=host=/var/run/postgresql dbname=register user=register_service
LR_ISSUER=https://identity.example.org
LR_JWKS_FILE=/etc/learning-reviews/jwks.json
LR_DRAIN_GRACE_SECONDS=0
END
systemctl start learning-reviews-migrate learning-reviews
cd /usr/share/doc/learning-reviews/backup
"""
LOSS = r"""
runuser -u postgres -- psql -Xqd register -c "create table public.moment as select 'before' as what"
target=$(runuser -u postgres -- psql -XAtc 'select clock_timestamp()')
runuser -u postgres -- psql -Xqd register -c "insert into public.moment values ('after'); select pg_switch_wal()" >/dev/null
runuser -u postgres -- pgbackrest --stanza=register check
kill -KILL "$(head -n 1 /var/lib/postgresql/15/main/postmaster.pid)"
systemctl stop postgresql@15-main || true
rm -r /etc/learning-reviews /etc/pgbackrest /var/lib/postgresql/15/main
"""
RESULT = r"""
echo "restored: $(runuser -u postgres -- psql -XAtd register -c 'select what from public.moment')"
systemctl list-units --failed 'learning-reviews-backup*' --no-legend
systemctl list-timers --no-legend 'learning-reviews-backup-*' | wc -l
learning-reviews check --health
"""


def test_the_commands_of_the_guide_work_from_the_set_up_to_the_restore(package, tmp_path):
    (tmp_path / "jwks.json").write_text(JWKS)
    (tmp_path / "jwks.json").chmod(0o644)
    restore = re.sub("--target='[^']*'", '--target="$target"', BLOCKS["Restore to a point in time"])
    script = "".join([INSTALL, REGISTER, BLOCKS["Set up"], "mkdir /keys; cd /keys\n", SAVE, LOSS, RECOVER, restore,
                      BLOCKS["Before the service starts"], BLOCKS["Test a restore"], BLOCKS["Monitoring"], RESULT])
    life = box(script, package, tmp_path / "jwks.json", systemd=True)
    assert life.returncode == 0, life.stdout
    assert life.stdout.splitlines()[-3:] == [
        "restored: before", "3", '{"ready":true,"database":true,"keys":true,"draining":false}'], life.stdout
