"""What must stand in no log: keys and passwords, told by their looks."""

import re

from app.domain.keys import PREFIX

# What a secret looks like, also where it is cut off -> what is left of it.
_SECRETS = {
    # Of our keys the public id, which tells whose key has come into wrong hands.
    re.compile(PREFIX + r"_([0-9a-z]{8})_[0-9A-Za-z_]+"): PREFIX + r"_\1_***",
    re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"']+"): r"\1 ***",
    # The password in an address; some hold an @ or a slash that should have been escaped.
    re.compile(r"(://[^\s:/@]*):\S*@"): r"\1:***@",
}


def discreet(text: str) -> str:
    """Return the text without its secrets."""
    for secret, left in _SECRETS.items():
        text = secret.sub(left, text)
    return text
