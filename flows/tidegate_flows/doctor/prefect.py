"""Prefect: its server, our deployments and who does their work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from tidegate_contracts.errors import TidegateError
from tidegate_flows.doctor.bounded import document
from tidegate_flows.doctor.examined import Examined
from tidegate_flows.url import masked

_OURS = "tidegate_flows.prefect_flows"


@dataclass(frozen=True, slots=True)
class Api:
    """Prefect's interface, as the profile in force names it.

    Attributes:
        url: Where; empty for none.
        headers: What it is asked with; never shown.
    """

    url: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def in_force(cls) -> Api:
        """That of this process."""
        from prefect.settings import get_current_settings

        api = get_current_settings().api
        headers = {}
        if api.key is not None:
            headers["Authorization"] = f"Bearer {api.key.get_secret_value()}"
        elif api.auth_string is not None:
            from base64 import b64encode

            token = b64encode(api.auth_string.get_secret_value().encode()).decode()
            headers["Authorization"] = f"Basic {token}"
        return cls((api.url or "").rstrip("/"), headers)

    def ask(self, path: str, body: Any = None) -> Any:
        """What it answers."""
        return document(f"{self.url}{path}", body, self.headers)


def examine(api: Api | None = None) -> Iterator[Examined]:
    """Look at Prefect, as far as its server answers.

    Args:
        api: Its interface; None for the one in force.
    """
    try:
        api = api or Api.in_force()
    except Exception as error:  # noqa: BLE001 - whatever a broken installation or profile raises
        yield Examined(
            "prefect", "no", f"cannot be used: {type(error).__name__}", "prefect version; prefect config view"
        )
        return
    if not api.url:
        yield Examined(
            "prefect server",
            "absent",
            "none is named: each flow run has one of its own, that ends with it and schedules nothing",
            "prefect server start, then prefect config set PREFECT_API_URL=http://127.0.0.1:4200/api",
        )
        return
    try:
        yield _server(api)
        yield from _deployments(api)
    except TidegateError as error:
        yield Examined(
            "prefect server",
            "warning",
            f"{masked(api.url)}: {error}",
            "start it, or correct PREFECT_API_URL; gates go on without",
        )


def _server(api: Api) -> Examined:
    api.ask("/health")
    theirs, ours = str(api.ask("/admin/version")).strip('"\n '), version("prefect")
    if theirs.split(".")[:2] != ours.split(".")[:2]:
        hint = "run one version of Prefect on the server and where flows run"
        return Examined("prefect server", "warning", f"{masked(api.url)}: {theirs}, and here {ours}", hint)
    return Examined("prefect server", "ok", f"{masked(api.url)}: {theirs}")


def _deployments(api: Api) -> Iterator[Examined]:
    found = [item for item in api.ask("/deployments/filter", {}) if str(item.get("entrypoint", "")).startswith(_OURS)]
    if not found:
        yield Examined(
            "prefect deployments",
            "absent",
            "none of our flows is deployed",
            "prefect deploy --prefect-file deploy/prefect.yaml --all",
        )
        return
    paused = [item["name"] for item in found if item.get("paused")]
    names = ", ".join(sorted(item["name"] for item in found))
    yield Examined(
        "prefect deployments",
        "warning" if paused else "ok",
        f"{', '.join(paused)} paused" if paused else names,
        f"prefect deployment resume {'FLOW/' + paused[0]}" if paused else None,
    )
    pools = {pool["name"]: pool for pool in api.ask("/work_pools/filter", {})}
    for name in sorted({str(item.get("work_pool_name") or "") for item in found}):
        yield _pool(name, pools, api)


def _pool(name: str, pools: dict[str, Any], api: Api) -> Examined:
    what = f"prefect work pool {name}" if name else "prefect work pool"
    if name not in pools:
        return Examined(what, "no", "there is none", f"prefect work-pool create {name or 'tidegate'} --type process")
    if pools[name].get("is_paused"):
        return Examined(what, "warning", "paused", f"prefect work-pool resume {name}")
    workers = api.ask(f"/work_pools/{name}/workers/filter", {})
    online = sum(str(worker.get("status", "")).upper() == "ONLINE" for worker in workers)
    if not online:
        return Examined(what, "warning", "no worker is online", f"prefect worker start --pool {name} --type process")
    return Examined(what, "ok", f"{online} {'worker' if online == 1 else 'workers'} online")
