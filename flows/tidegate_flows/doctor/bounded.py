"""A question to something that may not answer."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any, TypeVar

from tidegate_contracts.errors import StoreError

SECONDS = 3.0
Answer = TypeVar("Answer")


def within(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """The answer, if it comes in time; what does not answer is left to a thread of its own.

    Raises:
        StoreError: It does not come.
    """
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(ask())
        except BaseException as error:  # noqa: BLE001 - raised again where it was asked
            errors.append(error)

    thread = Thread(target=run, name="tidegate-doctor", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise StoreError("no answer", found=f"nothing within {seconds:g} s")
    return answers[0]


def document(url: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """What an address answers, as JSON, or as text where it is none.

    Args:
        url: Where.
        body: What is sent as JSON; None only asks.
        headers: More headers.

    Raises:
        StoreError: It does not answer within :data:`SECONDS`, or answers with an error. The words name no address.
    """
    import httpx

    def ask() -> Any:
        method = "GET" if body is None else "POST"
        answer = httpx.request(method, url, json=body, headers=headers, timeout=SECONDS, follow_redirects=True)
        if answer.is_error:
            raise StoreError("an error", found=f"HTTP {answer.status_code}")
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    try:
        return within(SECONDS + 0.5, ask)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise StoreError("no answer", found=type(error).__name__) from None
