"""Text from outside, made safe to show on a terminal: no control character, no escape sequence, no hidden direction."""

from __future__ import annotations

import re

# C0 and C1 controls, surrogates, and all that has no look of its own or turns the direction of what follows
_UNSAFE = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_USER = re.compile(r"(?<=://)[^/\s@'\"]*@")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def plain(text: object) -> str:
    r"""One line of visible characters; what is no such is written as its escape, and a URL's user is left out.

    >>> plain("a\x1b[31mb\nc")
    'a\\x1b[31mb\\nc'
    >>> plain("postgresql://ann:secret@host/db")
    'postgresql://…@host/db'
    """
    return _USER.sub("…@", _UNSAFE.sub(_escaped, str(text)))


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
