#!/usr/bin/python3
"""Finds words and phrases that make a text hard to read, and says what to write instead.

    tests/word_check.py [file …]      lists every finding of the files given, or compares all areas with their limits

The check reads prose only: Markdown and YAML outside `code`, the manual page, comments and string literals. It skips
identifiers and quotations ("…"). LIMITS holds the number of findings that an area may still have. The check fails
when an area has more findings than its limit, and also when it has fewer: then the limit must be lowered, so that it
never rises again.
"""
import io
import pathlib
import re
import subprocess
import sys
import tokenize

ROOT = pathlib.Path(__file__).resolve().parents[1]
WORDS = [(re.compile(pattern, re.IGNORECASE), instead) for pattern, instead in (
    (r"\b(has|have|had|having) to\b", "must"),
    (r"\b(is|are|was|were) to(?= [a-z])", "must; or name the purpose"),
    (r"\b(tells?|told|telling)\b", "report, notify, return"),
    (r"\bpass(ed|es|ing)? over\b|\baloud\b", "skip (with a warning)"),
    (r"\bmend(s|ed|ing)?\b", "fix"),
    (r"\b(stands?|stood|standing) (in|for|still|at|there|once|beside)\b", "is, is in, represents, hangs"),
    (r"\b(go|goes|going|gone|went) on\b", "continue"),
    (r"\bdear(er)?\b", "expensive"),
    (r"\b(dis)?believed\b", "accepted, rejected"),
    (r"\b(shut|shuts|shutting) out\b", "block"),
    (r"\bwhat is missing\b", "create missing …"),
    (r"\bfollow(s|ed)? from\b", "is derived from"),
    (r"\bthe other way (a)?round\b", "conversely"),
    (r"\bbesides?\b", "next to, also"),
    (r"\b(keep|keeps|keeping|kept) to\b", "is valid; violates …"),
    (r"\bfits?\b(?! in)", "match"),
    (r"\b(hindrance|obstacle)s?\b", "blocker"),
    (r"\bwhom it concerns\b|\bwho (asks|asked)\b", "recipient, caller"),
    (r"\banew\b", "again"),
    (r"\bby and by\b", "gradually"),
    (r"\bfor ever\b", "indefinitely"),
    (r"\b(whoever|whomever)\b", "name the person or the program"))]
OPENING = re.compile(r"(?:^|(?<=[.!?:] ))(What|Who|Whom|That which)\b(?=[^.?!]*(?:[.!]|$))")
# Findings that an area may still have: the longest prefix of a file's path decides. Only ever lower them.
LIMITS = {"*.md": 0, ".ci": 0, ".github": 0, "CMakeLists.txt": 0, "api": 0, "deploy": 0, "openapi.yaml": 0, "service":
           14, "sql": 21, "tests": 2}
NOT_READ = ("LICENSE", "deploy/debian/copyright", "tests/contract/tools/", "tests/word_check.py",
            "tests/unit/test_word_check.py")
QUOTED = re.compile(r'"[^"\n]*"|“[^”]*”|`[^`\n]*`')
C_TEXT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
SQL_TEXT = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
SHELL_TEXT = re.compile(r"(?:^|(?<=\s))#[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'", re.MULTILINE)
MARKS = re.compile(r"^[\s/*#>.-]*")


def matched(pattern, text):
    """(line, text) of each line of each match; a literal loses its quotation marks."""
    for match in pattern.finditer(text):
        first = text.count("\n", 0, match.start()) + 1
        inside = match[0][1:-1] if match[0][0] in "\"'" else match[0]
        yield from enumerate(inside.split("\n"), first)


def markdown(text):
    fenced = False
    for number, line in enumerate(text.split("\n"), 1):
        fenced ^= line.lstrip().startswith("```")
        if not fenced:
            yield number, line


def python(text):
    """Comments, and string literals without what an f-string computes."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
        elif token.type == tokenize.STRING:
            prefix = token.string[:2].lower()
            inside = token.string.lstrip("rRbBuUfF")
            inside = inside[3:-3] if inside.startswith(('"""', "'''")) else inside[1:-1]
            if "f" in prefix.partition('"')[0].partition("'")[0]:
                inside = re.sub(r"\{[^{}]*\}", "", inside)
            yield from enumerate(inside.split("\n"), token.start[0])


def reader(path):
    """The function that picks the prose out of a file, or None."""
    suffix = path.suffix
    if suffix in (".md", ".8", ".yaml", ".yml"):
        return markdown
    if suffix == ".py":
        return python
    if suffix in (".c", ".h", ".js", ".mjs", ".ts", ".java", ".in"):
        return lambda text: matched(C_TEXT, text)
    if suffix in (".sql", ".lua"):
        return lambda text: matched(SQL_TEXT, text)
    if suffix in ("", ".sh", ".conf", ".cfg", ".cmake", ".service", ".txt", ".toml"):
        return lambda text: matched(SHELL_TEXT, text)
    return None


def findings(path, text):
    """(line, what was found, what to write instead) of each finding in a file."""
    read = reader(path)
    found = []
    for number, line in read(text) if read else ():
        prose = QUOTED.sub("…", MARKS.sub("", line))
        found += [(number, match[0], instead) for pattern, instead in WORDS for match in pattern.finditer(prose)]
        found += [(number, match[0] + " …", "a noun as the subject") for match in OPENING.finditer(prose)]
    return sorted(found)


def area_of(name, limits):
    """The longest prefix that names the file; a Markdown file belongs to `*.md`."""
    if name.endswith(".md"):
        return "*.md"
    return max((prefix for prefix in limits if name.startswith(prefix)), key=len, default="")


def report(name, found):
    for line, words, instead in found:
        print(f"{name}:{line}: \"{words}\": write {instead}")


def read_all():
    """The findings of each file that git knows."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in names:
        path = ROOT / name
        if name and path.is_file() and not name.startswith(NOT_READ) and reader(path):
            yield name, findings(path, path.read_text(encoding="utf-8"))


def changed_files():
    """The files of the last commit and of the work tree, where a new finding is; none in a shallow clone."""
    command = ["git", "diff", "--name-only", "HEAD~1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.split("\n")


def compare(files, limits):
    """The areas whose number of findings is not their limit: (area, number, limit)."""
    counted = dict.fromkeys(limits, 0)
    for name, found in files:
        area = area_of(name, limits)
        counted[area] = counted.get(area, 0) + len(found)
    return [(area, number, limits.get(area, 0)) for area, number in counted.items() if number != limits.get(area, 0)]


def main(words):
    if words:
        found = [(word, findings(pathlib.Path(word), pathlib.Path(word).read_text(encoding="utf-8"))) for word in words]
        for name, those in found:
            report(name, those)
        return 1 if any(those for _, those in found) else 0
    files, changed = list(read_all()), changed_files()
    differing = compare(files, LIMITS)
    for area, number, limit in differing:
        if number > limit:
            within = [(name, found) for name, found in files if area_of(name, LIMITS) == area]
            for name, found in [one for one in within if one[0] in changed and one[1]] or within:
                report(name, found)
            print(f"{area or 'other files'}: {number} findings, at most {limit} allowed; reword the new ones")
        else:
            print(f"{area or 'other files'}: {number} findings; lower its limit in tests/word_check.py from {limit}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
