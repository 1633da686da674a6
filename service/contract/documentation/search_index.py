"""The index of the search: what a page is about, in the words that people type."""
import collections
import json
import re

from markup import plain
from source import ContractError

# Words that a newcomer uses, and the part that answers: they count like its title.
OTHER_WORDS = {
    "guide": "tutorial introduction howto",
    "authentication": "login log in sign in password oauth oauth2 jwt bearer api key token client credentials expired",
    "first-push": "upload submit send create referral quick start quickstart hello",
    "retries-and-idempotency": "duplicate resend repeat timeout retry idempotent exactly once",
    "batches": "bulk mass import upload many backlog",
    "conditional-changes": "etag if-match optimistic lock locking concurrency update conflict version",
    "lists-and-paging": "pagination paginate page cursor offset limit next filter sort",
    "change-feed": "sync synchronise poll polling events stream subscribe replicate updates",
    "webhooks": "callback notification notify hook signature secret verify hmac",
    "statistics": "csv spreadsheet excel figures numbers report export dashboard chart",
    "errors": "error exception failure problem status code rfc 9457",
    "roles-and-scopes": "permission permissions access rights authorisation authorization role forbidden",
    "the-stages-of-a-case": "workflow lifecycle process state machine",
    "versioning": "deprecation breaking change changelog compatibility",
    "getting-started": "start begin sandbox demo test environment openapi swagger sdk client generator codegen",
    "problem-rate_limited": "rate limit throttle quota too many requests 429",
    "problem-personal_identifier_found": "personal data name privacy gdpr chi number",
    "examples": "sample code python typescript javascript java go c# csharp sdk",
    "definitions": "definition metric indicator meaning of figures",
    "operation-pushReferrals": "bulk import",
    "operation-getPrincipal": "whoami who am i my token scopes",
}
SMALL_WORDS = frozenset(
    "a an and are as at be by for from has have in is it its of on or that the this to with not no".split())
# A word that more texts have is left out of the index.
COMMON = 60
KINDS = ("page", "guide", "operation", "schema", "problem", "table", "response")


def words_of(text):
    """Returns the words of a text once each, in order; names in camelCase also as their parts."""
    text = plain(re.sub(r"<pre.*?</pre>|(?=<)", " ", text, flags=re.DOTALL))
    parts = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    found = re.findall(r"[a-z0-9][a-z0-9_.-]*[a-z0-9]|[a-z0-9]", (text + " " + parts).lower())
    return [word for word in dict.fromkeys(found) if word not in SMALL_WORDS and len(word) < 40]


def kind_of(identifier):
    kind = identifier.split("-")[0]
    return kind if kind in KINDS[2:] else "guide"


def split_parts(page):
    """Yields (identifier, title, HTML) of the page and of each part with a heading."""
    pieces = re.split(r'<h2 id="([^"]+)"><a[^>]*>(.*?)</a></h2>', page.main)
    yield page.identifier, page.title, pieces[0]
    yield from zip(pieces[1::3], pieces[2::3], pieces[3::3])


def make_entry(page, identifier, title, text):
    kind = "page" if identifier == page.identifier else kind_of(identifier)
    # Of an operation its description and parameters count, of a schema the names of its members.
    said = text.split("<h3>Request", 1)[0] if kind == "operation" else text
    if kind == "schema":
        said = said.split("<dl>")[0] + " ".join(re.findall(r"<dt><code>.*?</code>", said))
    name = identifier.split("-", 1)[1] if kind in KINDS[2:] else ""
    title = plain(title)
    head = words_of(f"{title} {name.replace('_', ' ')} {name} {OTHER_WORDS.get(identifier, '')}")
    address = page.address + (f"#{identifier}" if identifier and identifier != page.identifier else "")
    return [title, name, address, kind, " ".join(head), " ".join(word for word in words_of(said) if word not in head)]


def leave_out_common_words(entries):
    """Removes words of the texts that are in too many of them to distinguish one from another."""
    count = collections.Counter(word for entry in entries for word in entry[-1].split())
    for entry in entries:
        entry[-1] = " ".join(word for word in entry[-1].split() if count[word] <= COMMON)


def write_index(pages):
    """Returns the index as JSON: a list of [title, name, address, kind, words of the title, words of the text]."""
    entries = [make_entry(page, *part) for page in pages if page.group for part in split_parts(page)]
    leave_out_common_words(entries)
    known = {part[0] for page in pages for part in split_parts(page)}
    lost = set(OTHER_WORDS) - known
    if lost:
        raise ContractError("OTHER_WORDS", f"no part of the documentation is {', '.join(sorted(lost))}")
    return json.dumps(entries, ensure_ascii=False, separators=(",", ":")) + "\n"
