"""The modules of deploy/kit without a register: columns, sheets, settings, keys."""
import pathlib
import re
import uuid

import pytest
import yaml

import columns
import push
import settings
import sheets
import staging
from problems import SettingProblem

ROOT = pathlib.Path(__file__).resolve().parents[3]
KIT = ROOT / "deploy" / "kit"
ROW = {"source_system": "s", "source_reference": "1", "notified_on": "2026-03-02", "aware_on": "2026-03-01",
       "incident_kind": "single_event", "basis": "Text.", "immediate_concerns": "none", "child_id": "c"}


@pytest.fixture(scope="module")
def schemas():
    return yaml.load((ROOT / "openapi.yaml").read_text(encoding="utf-8"),
                     getattr(yaml, "CSafeLoader", yaml.SafeLoader))["components"]["schemas"]


class AnyCode:
    def code_of(self, text):
        if text == "bad":
            raise columns.Refused("bad")
        return text


ANY = dict.fromkeys(columns.SHEETS, AnyCode())


def converted(*rows, **defaults):
    document, faults = columns.referral_of(rows, ANY, defaults)
    return document, [(fault.row, fault.column) for fault in faults]


def sheet(tmp_path, content):
    path = tmp_path / "sexes.csv"
    path.write_bytes(content)
    return sheets.Sheet(path, sheets.read_entries(path))


@pytest.mark.parametrize("schema, listed", [("ReferralInput", columns.REFERRAL), ("ChildInput", columns.CHILD)])
def test_the_columns_are_the_members_of_the_contract(schemas, schema, listed):
    members = set(schemas[schema]["properties"]) - {"children"}
    required = set(schemas[schema]["required"]) - {"children"}
    assert ({one.name for one in listed}, {one.name for one in listed if one.required}) == (members, required)


@pytest.mark.parametrize("name, schema", [
    ("source-roles", "SourceRole"), ("incident-kinds", "IncidentKind"), ("immediate-concerns", "ImmediateConcerns"),
    ("siblings-count-bands", "SiblingsCountBand")])
def test_the_own_lists_are_those_of_the_contract(schemas, name, schema):
    assert [code for code, *_ in columns.OWN_LISTS[name]] == [one for one in schemas[schema]["enum"] if one is not None]


@pytest.mark.parametrize("file", ["staging-postgresql.sql", "staging-sqlserver.sql"])
def test_a_staging_table_has_the_columns(file):
    table = re.search(r"create table (?:if not exists )?learning_reviews_kit\.referral_row \((.*?)\n\);",
                      (KIT / file).read_text(encoding="utf-8"), re.DOTALL)[1]
    assert [name for name in re.findall(r"^    (\w+) ", table, re.MULTILINE) if name in columns.NAMES] == columns.NAMES


def test_the_readme_lists_the_columns_and_settings():
    text = (KIT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (yes|) *\|", text, re.MULTILINE)
    assert [name for name, _ in rows] == columns.NAMES
    assert [name for name, needed in rows if needed] == columns.REQUIRED
    example = (KIT / "kit.ini.example").read_text(encoding="utf-8")
    names = [name for section, known in settings.KNOWN.items() if section != "defaults" for name in known]
    assert [name for name in names if not re.search(rf"^;?{name} = ", example, re.MULTILINE)] == []


def test_the_sample_has_known_columns():
    head, rows = sheets.read_csv(KIT / "referrals.csv")
    assert set(head) <= set(columns.NAMES) and len(rows) == 3


def test_a_cell_that_is_empty_gets_the_default():
    document, faults = converted({**ROW, "criteria_claimed": "a; b;a"}, committee="GLA", sex="female")
    assert (document["committee"], document["children"][0]["sex"], document["criteria_claimed"]) == (
        "GLA", "female", ["a", "b"])
    assert faults == [(0, "local_authority"), (0, "outcome"), (0, "age_band")]


def test_a_fault_names_its_row_and_column():
    second = {"source_reference": "1", "child_id": "d", "basis": "Other.", "outcome": "bad", "age_years": "seven",
              "carm": "perhaps", "age_band": "1_4", "sex": "male"}
    first = {**ROW, "committee": "GLA", "local_authority": "S1", "criteria_claimed": "a", "outcome": "none",
             "age_band": "1_4", "sex": "male"}
    assert converted(first, second)[1] == [(1, "basis"), (1, "outcome"), (1, "age_years"), (1, "carm")]


@pytest.mark.parametrize("text, date", [("2026-03-02", "2026-03-02"), ("02/03/2026", "2026-03-02"),
                                        ("2/3/2026", "2026-03-02")])
def test_dates_of_excel_are_british(text, date):
    assert columns.as_date(text) == date


@pytest.mark.parametrize("text", ["2026-02-30", "03.02.2026", "31/31/2026", "45000"])
def test_other_dates_are_refused(text):
    with pytest.raises(columns.Refused, match="is not a date"):
        columns.as_date(text)


@pytest.mark.parametrize("pointer, place", [
    ("/basis", (0, "basis")), ("/criteria_claimed/2", (0, "criteria_claimed")), ("/children/3/sex", (3, "sex")),
    ("/children/1/known_to/0", (1, "known_to")), ("/children", (0, "child_id")), ("", (0, ""))])
def test_a_pointer_names_row_and_column(pointer, place):
    assert columns.column_of(pointer) == place


@pytest.mark.parametrize("content", [
    "own_codes,code,label,definition\nF;Girl,female,Weiblich ü,\n".encode("utf-8-sig"),
    "own_codes;code;label;definition\r\n\"F;Girl\";female;ü;\r\n".encode("cp1252"),
    "own_codes\tcode\tlabel\tdefinition\r\nF;Girl\tfemale\tü\t\r\n".encode("utf-16")])
def test_a_sheet_reads_as_excel_saves_it(tmp_path, content):
    read = sheet(tmp_path, content)
    assert [read.code_of(text) for text in ("F", "girl", "GIRL", "female")] == ["female"] * 4
    with pytest.raises(columns.Refused, match="did you mean female"):
        read.code_of("femal")


def test_an_own_code_in_two_rows_is_refused(tmp_path):
    with pytest.raises(SettingProblem, match="own code of female and of male"):
        sheet(tmp_path, b"own_codes,code\nX,female\nx,male\n")


def test_a_key_depends_on_batch_and_content_only():
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    assert push.key_of(one, b"[]") == push.key_of(one, b"[]")
    assert len({push.key_of(one, b"[]"), push.key_of(two, b"[]"), push.key_of(one, b"[1]")}) == 3


def stage(rows, *references):
    for number, reference in enumerate(references):
        rows.run("insert into TABLE (file, line, source_system, source_reference, child_id) values (?, ?, ?, ?, ?)",
                 "f", number, "s", reference, str(number))
    rows.commit()


def test_groups_keep_rows_of_one_referral_together(tmp_path):
    rows = staging.open_files(tmp_path)
    stage(rows, "a", "b", "a", "c")
    found = rows.fresh(2)
    assert [[row["child_id"] for row in group] for group in found] == [["0", "2"], ["1"]]
    rows.begin("batch", found)
    again = staging.open_files(tmp_path)  # after a crash
    assert again.in_doubt() == [("batch", [[{**row, "status": "sending", "batch": "batch"} for row in group]
                                           for group in found])]
    assert [[row["child_id"] for row in group] for group in again.fresh(9)] == [["3"]]


def test_only_one_run_holds_the_state(tmp_path):
    with staging.only_run(tmp_path) as first, staging.only_run(tmp_path) as second:
        assert (first, second) == (True, False)
    with staging.only_run(tmp_path) as third:
        assert third


GOOD = {"register": {"url": "https://register.example.org"}, "token": {"file": "token.txt"},
        "folders": {"csv": "files"}}


def read(tmp_path, **changes):
    (tmp_path / "token.txt").write_text("t")
    values = {**GOOD, **changes}
    text = "".join(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in section.items())
                   for name, section in values.items())
    (tmp_path / "kit.ini").write_text(text, encoding="utf-8-sig")
    return settings.read_settings(tmp_path / "kit.ini")


def test_settings_are_read_beside_their_file(tmp_path):
    assert read(tmp_path).token.file == tmp_path / "token.txt"


@pytest.mark.parametrize("changes, line", [
    ({"register": {"url": "http://register.example.org"}}, r"\[register\] url = .*: must begin with https://"),
    ({"register": {"urll": "x"}}, r"\[register\] urll = x: is no setting; did you mean url\?"),
    ({"folder": {"csv": "x"}}, r"\[folder\].*did you mean folders\?"),
    ({"token": {"file": "missing.txt"}}, r"\[token\] file = .*missing.txt: there is no such file"),
    ({"token": {"file": "token.txt", "url": "https://i.example.org"}}, r"\[token\] file = token.txt: set either"),
    ({"token": {"url": "https://i.example.org"}}, r"\[token\] client_id = : must be"),
    ({"token": {"url": "https://i.example.org", "client_id": "c"}}, r"\[token\] secret_file = : must name"),
    ({"folders": {}}, r"\[folders\] csv = : set the folder"),
    ({"batch": {"referrals": "2000"}}, r"\[batch\] referrals = 2000: must be a whole number from 1 to 1000"),
    ({"defaults": {"comittee": "GLA"}}, r"did you mean committee\?"),
    ({"register": {"url": "https://r.example.org", "ca_file": "no.pem"}}, r"\[register\] ca_file = .*no such file")])
def test_a_wrong_setting_is_one_line_with_its_repair(tmp_path, changes, line):
    with pytest.raises(SettingProblem, match=line) as found:
        read(tmp_path, **changes)
    assert "\n" not in str(found.value)
