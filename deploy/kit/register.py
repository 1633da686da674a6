"""The register as its clients see it: tokens, retries, and answers. Uses the standard library only.

A request is repeated, with the same bytes and the same Idempotency-Key, while there is no answer or the answer says
that a repetition may succeed. It waits as long as Retry-After says, or twice as long each time.
"""
import datetime
import email.utils
import http.client
import json
import random
import re
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from problems import Away, Problem, SettingProblem

TIMEOUT_S, LONGEST_PAUSE_S, EARLY_S = 60, 60, 60


class Unmoved(urllib.request.HTTPRedirectHandler):
    """Follows no redirection, because it would send the token to another address."""

    def redirect_request(self, *_):
        return None


class Answer:
    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data
        try:
            self.document = json.loads(data)
        except ValueError:
            self.document = {}

    def problem(self, member):
        return self.document.get(member) if isinstance(self.document, dict) else None

    @property
    def retryable(self):
        said = self.problem("retryable")
        return bool(said) if said is not None else self.status in (429, 500, 502, 503, 504)

    def pause(self, usual):
        """Returns the seconds that Retry-After asks for, as a number or a date."""
        text = self.headers.get("Retry-After", "")
        if text.isdigit():
            return int(text)
        try:
            moment = email.utils.parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return usual
        return max(0.0, (moment - datetime.datetime.now(datetime.timezone.utc)).total_seconds())

    def reason(self):
        parts = [self.problem("title"), self.problem("detail")]
        return f"{self.status} " + " ".join(filter(None, parts))


class Register:
    def __init__(self, settings, say=lambda text: print(text, file=sys.stderr)):
        self.settings, self.say = settings, say
        try:
            trust = ssl.create_default_context(cafile=settings.ca_file and str(settings.ca_file))
        except (OSError, ssl.SSLError):
            raise SettingProblem("[register] ca_file", settings.ca_file, "has no certificate in PEM form") from None
        self.opener = urllib.request.build_opener(Unmoved, urllib.request.HTTPSHandler(context=trust))
        self.token, self.token_until = None, 0.0

    def open(self, request, setting):
        """Returns the answer of any status. Raises OSError when there is none."""
        try:
            with self.opener.open(request, timeout=TIMEOUT_S) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, refusal.headers, refusal.read())
        except urllib.error.URLError as fault:
            if isinstance(fault.reason, ssl.SSLCertVerificationError):
                raise SettingProblem(setting, request.full_url, f"{fault.reason.verify_message}; put the certificate "
                                     "of its authority into [register] ca_file") from None
            raise OSError(str(fault.reason)) from None
        except http.client.HTTPException as fault:
            raise OSError(f"unreadable answer: {fault!r}") from None

    def persist(self, request, setting, wanted):
        """Repeats the request until its answer is final. `wanted` renews the request before each try."""
        end, pause = time.monotonic() + self.settings.patience_s, 1.0
        while True:
            try:
                answer = self.open(wanted(request), setting)
                if not answer.retryable:
                    return answer
                wait, reason = answer.pause(pause), answer.reason()
            except OSError as fault:
                wait, reason = pause, f"no answer ({fault})"
            wait *= 1 + random.random() / 10  # clients that failed together do not return together
            if time.monotonic() + wait > end:
                raise Away(f"{request.full_url}: {reason}; the next run continues")
            self.say(f"{request.full_url}: {reason}; trying again in {wait:.0f} s")
            time.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def issued_token(self):
        """Gets a token with the client credentials grant."""
        token = self.settings.token
        form = {"grant_type": "client_credentials", "client_id": token.client_id,
                "client_secret": token.secret_file.read_text(encoding="utf-8-sig").strip(),
                "scope": token.scope, "audience": token.audience}
        body = urllib.parse.urlencode({name: value for name, value in form.items() if value}).encode()
        answer = self.persist(urllib.request.Request(token.url, body), "[token] url", lambda request: request)
        if answer.status != 200 or not answer.problem("access_token"):
            said = " ".join(filter(None, (answer.problem("error"), answer.problem("error_description"))))
            raise SettingProblem("[token] client_id", token.client_id,
                                 f"{token.url} gave no token: {answer.status} {said}; check client_id, secret_file, "
                                 "scope and audience")
        self.token_until = time.monotonic() + int(answer.problem("expires_in") or 300) - EARLY_S
        return answer.problem("access_token")

    def current_token(self, renew=False):
        if self.settings.token.file:
            token = self.settings.token.file.read_text(encoding="utf-8-sig").strip()
            if not re.fullmatch(r"[A-Za-z0-9._~+/=-]+", token):
                raise SettingProblem("[token] file", self.settings.token.file,
                                     "must contain one access token and nothing else")
            return token
        if renew or self.token is None or time.monotonic() > self.token_until:
            self.token = self.issued_token()
        return self.token

    def request(self, method, target, body=None, key=None):
        request = urllib.request.Request(self.settings.url + target, body, method=method)
        request.add_header("Accept", "application/json")
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if key is not None:
            request.add_header("Idempotency-Key", key)

        def with_token(request, renew=False):
            request.add_header("Authorization", "Bearer " + self.current_token(renew))
            return request
        answer = self.persist(request, "[register] url", with_token)
        if answer.status == 401:  # once more with a new token
            answer = self.persist(with_token(request, renew=True), "[register] url", lambda same: same)
        if answer.status in (401, 403):
            raise SettingProblem("[token]", self.settings.token.client_id or self.settings.token.file,
                                 f"{answer.reason()} ask the register's operator for a token with the scopes "
                                 "referrals.write, referrals.read and changes.read")
        if 300 <= answer.status < 400:
            raise SettingProblem("[register] url", self.settings.url,
                                 f"redirects to {answer.headers.get('Location')}; enter the right address")
        return answer

    def get(self, target):
        """Returns the document at an address that must exist."""
        answer = self.request("GET", target)
        if answer.status != 200 or not isinstance(answer.document, dict) or not answer.document:
            raise Problem(f"GET {self.settings.url}{target}: {answer.reason()}; is this the register's address?")
        return answer.document

    def post(self, target, body, key):
        return self.request("POST", target, body, key)
