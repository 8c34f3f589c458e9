"""Whether bytes begin as their name says. Nothing is opened as anything but what its name says."""

from __future__ import annotations

import codecs

_SAYS = {b"PAR1": "parquet", b"PARE": "encrypted parquet", b"ARROW1": "an Arrow file", b"\x1f\x8b": "gzip"}
_STRANGERS = {
    **_SAYS,
    b"FEA1": "a Feather file of version 1",
    b"PK\x03\x04": "a zip archive or spreadsheet",
    b"PK\x05\x06": "an empty zip archive",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"%PDF": "a PDF",
    b"SQLite format 3": "an SQLite database",
    b"Obj\x01": "Avro",
    b"ORC": "ORC",
    b"\x89HDF": "HDF5",
    b"\x89PNG": "a picture",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "a 7z archive",
    b"<?xml": "XML",
    b"<!doctype": "HTML",
    b"<html": "HTML",
}
_ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_EXPECTED = {"parquet": b"PAR1", "arrow": b"ARROW1\0\0"}


def require_magic(form: str, head: bytes) -> None:
    """Refuse a binary file that does not begin with its format's magic bytes.

    Raises:
        ValueError: It does not.
    """
    if not head:
        raise ValueError("an empty file")
    if not head.startswith(_EXPECTED[form]):
        raise ValueError(f"this is no {form} file; {_guess(head)}")


def require_text(head: bytes, *, whole: bool) -> None:
    """Refuse what is no text, or no UTF-8.

    Args:
        head: The first bytes, unpacked.
        whole: Whether there are no more.

    Raises:
        ValueError: It is something else, and what it looks like.
    """
    if not head.strip():
        raise ValueError("an empty file")
    begins = head[:16].lower() if head.lstrip()[:1] == b"<" else head
    if _stranger(begins.lstrip() if begins[:1].isspace() else begins):
        raise ValueError(f"this is no text; {_guess(begins.lstrip())}")
    if head[:1] == b"\x80" and len(head) > 1 and head[1] <= 5:
        raise ValueError("this is no text; it begins like a pickle, which is never loaded")
    encoding = next((name for mark, name in _ENCODINGS.items() if head.startswith(mark)), None)
    if encoding is None and head[:256].count(0) * 3 >= len(head[:256]):
        encoding = "UTF-16 or UTF-32"
    if encoding is not None:
        raise ValueError(f"the encoding looks like {encoding}; allowed: UTF-8")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError:
        raise not_utf8() from None


def not_utf8() -> ValueError:
    """The refusal of text in another encoding."""
    return ValueError("text that is not UTF-8 (the encoding may be Latin-1 or Windows-1252); allowed: UTF-8")


def _stranger(head: bytes) -> str | None:
    return next((name for magic, name in _STRANGERS.items() if head.startswith(magic)), None)


def _guess(head: bytes) -> str:
    name = _stranger(head)
    return f"it begins like {name}" if name else "its first bytes are of no format known here"
