"""Searches every log line of a test run for what must never be in one."""

import copy
import logging
import re

from functions.telemetry import SafeExceptions

FORBIDDEN = {
    "a token of an issuer": re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+"),
    "a token of ours": re.compile(r"[\w-]{10,}\.[\w-]{5,8}\.[\w-]{43}(?![\w-])"),
    "an authorization header": re.compile(r"\bBearer\s+[\w.-]{8,}", re.IGNORECASE),
    "a signed link": re.compile(r"X-Amz-(Signature|Credential)=", re.IGNORECASE),
    "a signing key": re.compile(r"k{32}"),
    "what somebody wrote": re.compile(r"secret[0-9a-f]{16}"),
}
"""The last two are what the tests plant: a key, and the text of messages, titles and files."""


def found_in(text):
    """Names of what is in the text and must not be."""
    return [name for name, pattern in FORBIDDEN.items() if pattern.search(text)]


class LogWatch(logging.Handler):
    """Keeps what it found, with the place that logged it, until `take`."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.found = []

    def emit(self, record):
        if record.name == "werkzeug":  # a test's own moto: the product's is silent
            return
        record = copy.copy(record)  # the filter changes it, and other handlers come after this one
        if SafeExceptions().filter(record):
            names = found_in(self.format(record))
            self.found += [f"{record.pathname}:{record.lineno} logs {name}" for name in names]

    def take(self):
        found, self.found = self.found, []
        return found


WATCH = LogWatch()
