"""The one settings file, an INI file. Relative paths begin in its folder."""
import configparser
import difflib
import pathlib
import types
import urllib.parse

import columns
from problems import SettingProblem

KNOWN = {
    "register": {"url": "", "ca_file": "", "patience_seconds": "600"},
    "token": {"file": "", "url": "", "client_id": "", "secret_file": "", "scope": "", "audience": ""},
    "folders": {"csv": "", "mappings": "mappings", "state": "state", "quiet_seconds": "10"},
    "database": {"connection": "", "table": "learning_reviews_kit.referral_row"},
    "batch": {"referrals": "500"},
    "defaults": dict.fromkeys(columns.NAMES, "")}
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def near(word, words):
    found = difflib.get_close_matches(word, words, 1)
    return f"did you mean {found[0]}?" if found else "known are " + ", ".join(words)


def whole_number(values, section, name, least, most):
    text = values[section][name]
    if not text.isdigit() or not least <= int(text) <= most:
        raise SettingProblem(f"[{section}] {name}", text, f"must be a whole number from {least} to {most}")
    return int(text)


def address(values, section, name):
    """Returns an address without its last slash. Only this machine itself may be reached without TLS."""
    text = values[section][name].rstrip("/")
    parts = urllib.parse.urlsplit(text)
    if parts.scheme == "https" and parts.hostname or parts.scheme == "http" and parts.hostname in LOOPBACK:
        return text
    raise SettingProblem(f"[{section}] {name}", text, "must begin with https:// and a host name")


def read_file(path):
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with open(path, encoding="utf-8-sig") as file:
            parser.read_file(file)
    except OSError as reason:
        raise SettingProblem("--config", path, f"{reason.strerror}; copy kit.ini.example to this place") from None
    except (configparser.Error, UnicodeDecodeError) as reason:
        raise SettingProblem("--config", path, " ".join(str(reason).split())) from None
    for section in parser.sections():
        if section not in KNOWN:
            raise SettingProblem(f"[{section}]", "", f"is no section; {near(section, list(KNOWN))}")
        for name, value in parser[section].items():
            if name not in KNOWN[section]:
                raise SettingProblem(f"[{section}] {name}", value, f"is no setting; {near(name, list(KNOWN[section]))}")
    return {section: {name: parser.get(section, name, fallback=usual).strip() for name, usual in names.items()}
            for section, names in KNOWN.items()}


def token_settings(values, place):
    """Checks that a token comes from a file or from an issuer, and not from both."""
    token = values["token"]
    if bool(token["file"]) == bool(token["url"]):
        raise SettingProblem("[token] file", token["file"], "set either file, or url with client_id and secret_file")
    made = types.SimpleNamespace(file=None, url=None, secret_file=None, **{
        name: token[name] for name in ("client_id", "scope", "audience")})
    if token["file"]:
        made.file = existing("[token] file", place(token["file"]))
        return made
    made.url = address(values, "token", "url")
    if not token["client_id"]:
        raise SettingProblem("[token] client_id", "", "must be the client ID that the register's operator gave you")
    if not token["secret_file"]:
        raise SettingProblem("[token] secret_file", "", "must name the file that contains the client secret")
    made.secret_file = existing("[token] secret_file", place(token["secret_file"]))
    return made


def existing(setting, path):
    if not path.is_file():
        raise SettingProblem(setting, path, "there is no such file")
    return path


def read_settings(path):
    path = pathlib.Path(path).absolute()
    values = read_file(path)

    def place(text):
        return path.parent / text
    folders, database, register = values["folders"], values["database"], values["register"]
    if not folders["csv"] and not database["connection"]:
        raise SettingProblem("[folders] csv", "", "set the folder for CSV files, or [database] connection")
    return types.SimpleNamespace(
        url=address(values, "register", "url"),
        ca_file=existing("[register] ca_file", place(register["ca_file"])) if register["ca_file"] else None,
        patience_s=whole_number(values, "register", "patience_seconds", 0, 3600),
        token=token_settings(values, place),
        csv=place(folders["csv"]) if folders["csv"] else None,
        mappings=place(folders["mappings"]), state=place(folders["state"]),
        quiet_s=whole_number(values, "folders", "quiet_seconds", 0, 3600),
        connection=database["connection"], table=database["table"],
        batch=whole_number(values, "batch", "referrals", 1, 1000),
        defaults={name: value for name, value in values["defaults"].items() if value})
