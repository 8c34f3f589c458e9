"""A form as a browser sent it: bounded, and one value a field."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

_KIND = "application/x-www-form-urlencoded"
_BYTES_MAXIMUM = 16_384
_FIELDS_MAXIMUM = 16


class FormError(Exception):
    """What was sent is no form of ours."""


async def sent_form(request: Request) -> dict[str, str]:
    """The fields by name.

    Raises:
        FormError: It is too large, of another kind, or no text.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise FormError("A form was expected.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BYTES_MAXIMUM:
            raise FormError("This form is too large.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MAXIMUM)
    except ValueError as error:
        raise FormError("This form is no text.") from error
    return dict(pairs)
