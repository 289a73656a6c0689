"""What must stand in no log: keys and passwords, told by their looks."""

import re

from app.domain.keys import PREFIX

# What a secret looks like, also where it is cut off -> what is left of it.
_SECRETS = {
    # Of our keys the public id, which tells whose key has come into wrong hands.
    re.compile(PREFIX + r"_([0-9a-z]{8})_[0-9A-Za-z_]+"): PREFIX + r"_\1_***",
    re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"']+"): r"\1 ***",
}
# What stands before the password in an address.
_BEFORE_PASSWORD = re.compile(r"://[^\s:/@]*:")
_WORD = re.compile(r"\S+")


def discreet(text: str) -> str:
    """Return the text without its secrets, in time proportional to its length."""
    for secret, left in _SECRETS.items():
        text = secret.sub(left, text)
    return _WORD.sub(_without_password, text)


def _without_password(word: re.Match[str]) -> str:
    """Return a word without the password in it, which ends at the last @.

    Some passwords hold an @ or a slash that should have been escaped. To look for the last @ once,
    and not from every address in the word, is what keeps the time proportional.
    """
    text = word.group()
    last_at = text.rfind("@")
    before = _BEFORE_PASSWORD.search(text, 0, max(last_at, 0))
    return text if before is None else f"{text[: before.end()]}***{text[last_at:]}"
