"""The columns of a row, and how rows become a referral of the contract.

A row describes one child. Rows with the same source_system and source_reference are one referral: its own columns are
in the first row, and empty or equal in the others.
"""
import collections
import datetime
import re

Column = collections.namedtuple("Column", "name kind sheet required")
Fault = collections.namedtuple("Fault", "row column message")  # row: index of the row within the referral

# kind: text, date, flag, number, code (one code of the sheet), codes (several, separated by semicolons)
REFERRAL = [Column(*one) for one in (
    ("source_system", "text", None, True),
    ("source_reference", "text", None, True),
    ("source_role", "code", "source-roles", False),
    ("committee", "code", "committees", True),
    ("local_authority", "code", "local-authorities", True),
    ("notified_on", "date", None, True),
    ("aware_on", "date", None, True),
    ("incident_on", "date", None, False),
    ("incident_kind", "code", "incident-kinds", True),
    ("criteria_claimed", "codes", "criteria", True),
    ("basis", "text", None, True),
    ("immediate_concerns", "code", "immediate-concerns", True),
    ("passed_to_organisation", "code", "organisations", False),
    ("agencies_involved", "codes", "agency-kinds", False),
    ("parallel_processes", "codes", "parallel-processes", False),
    ("other_committees", "codes", "committees", False),
    ("discussed_with_partners", "flag", None, False),
    ("guidance_edition", "code", "guidance-editions", False))]
CHILD = [Column(*one) for one in (
    ("child_id", "text", None, True),
    ("family_id", "text", None, False),
    ("outcome", "code", "outcomes", True),
    ("age_band", "code", "age-bands", True),
    ("age_years", "number", None, False),
    ("sex", "code", "sexes", True),
    ("ethnic_group", "code", "ethnic-groups", False),
    ("disability", "code", "disabilities", False),
    ("legal_status", "code", "legal-statuses", False),
    ("register_status", "code", "register-statuses", False),
    ("siblings_count_band", "code", "siblings-count-bands", False),
    ("known_to", "codes", "agency-kinds", False),
    ("cause_of_death_group", "code", "cause-of-death-groups", False),
    ("harm_types", "codes", "harm-types", False),
    ("carm", "flag", None, False))]
NAMES = [column.name for column in REFERRAL + CHILD]
REQUIRED = [column.name for column in REFERRAL + CHILD if column.required]
SHEETS = sorted({column.sheet for column in REFERRAL + CHILD if column.sheet})

# Short lists of the contract that are no code lists of the reference data: (code, label, definition).
OWN_LISTS = {
    "source-roles": [
        ("cpc_member", "Member of the committee", "The sender is a member of the Child Protection Committee."),
        ("agency", "Agency", "The sender acts for its agency."),
        ("practitioner", "Practitioner", "The sender is a practitioner.")],
    "incident-kinds": [
        ("single_event", "Single event", "One incident."),
        ("accumulation", "Accumulation", "Harm that accumulated over time.")],
    "immediate-concerns": [
        ("none", "None", "No child is at immediate risk."),
        ("passed_on", "Passed on", "The concern was passed to the organisation in passed_to_organisation."),
        ("acted_on", "Acted on", "The sender acted on the concern.")],
    "siblings-count-bands": [
        ("0", "None", "No siblings. Leave the cell empty if the number is unknown."),
        ("1_2", "1 or 2", ""),
        ("3_plus", "3 or more", "")]}

YES, NO = {"yes", "y", "true", "1"}, {"no", "n", "false", "0"}


class Refused(Exception):
    """A cell that cannot be converted; the text is for the person who entered it."""


def as_date(text):
    """Returns the ISO date of 2026-03-02, or of 02/03/2026, which Excel makes of it in Britain."""
    british = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text)
    try:
        if british:
            return datetime.date(int(british[3]), int(british[2]), int(british[1])).isoformat()
        return datetime.datetime.strptime(text, "%Y-%m-%d").date().isoformat()
    except ValueError:
        raise Refused(f"'{text}' is not a date; write 2026-03-31 or 31/03/2026") from None


def as_flag(text):
    if text.lower() in YES | NO:
        return text.lower() in YES
    raise Refused(f"'{text}' is neither yes nor no")


def as_number(text):
    if re.fullmatch(r"\d{1,9}", text):
        return int(text)
    raise Refused(f"'{text}' is not a whole number")


def as_member(column, text, sheets):
    """Returns the value of a cell as the contract's member."""
    if column.kind == "code":
        return sheets[column.sheet].code_of(text)
    if column.kind == "codes":
        parts = [part.strip() for part in text.split(";")]
        codes = [sheets[column.sheet].code_of(part) for part in parts if part]
        return list(dict.fromkeys(codes))  # two own codes may have one code of the register
    return {"text": str, "date": as_date, "flag": as_flag, "number": as_number}[column.kind](text)


def member_faults(column, text, sheets, index, document):
    """Sets the member of a cell in the document, or returns why it cannot."""
    if not text:
        return [Fault(index, column.name, "is empty; the register requires it")] if column.required else []
    try:
        document[column.name] = as_member(column, text, sheets)
    except Refused as reason:
        return [Fault(index, column.name, str(reason))]
    return []


def cell(row, name):
    return (row.get(name) or "").strip()


def referral_of(rows, sheets, defaults):
    """Returns the referral of its rows and the faults; a referral with faults must not be sent."""
    document, faults = {}, []
    for column in REFERRAL:
        first = cell(rows[0], column.name)
        faults += member_faults(column, first or defaults.get(column.name, ""), sheets, 0, document)
        faults += [Fault(index, column.name, f"differs from '{first}' in the first row of this referral")
                   for index, row in enumerate(rows) if cell(row, column.name) not in ("", first)]
    document["children"] = []
    for index, row in enumerate(rows):
        child = {}
        for column in CHILD:
            faults += member_faults(column, cell(row, column.name) or defaults.get(column.name, ""), sheets, index,
                                    child)
        document["children"].append(child)
    return document, faults


def column_of(pointer):
    """Returns the index of the row and the column that a JSON pointer into the referral names."""
    steps = pointer.split("/")[1:]
    if steps[:1] == ["children"]:
        index = int(steps[1]) if len(steps) > 1 and steps[1].isdigit() else 0
        return index, steps[2] if len(steps) > 2 else "child_id"
    return 0, steps[0] if steps else ""
