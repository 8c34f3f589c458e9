"""What is in ``deploy/``: each file by its own validator, and each command run as a process.

No container is started here: the commands of images, units and pods are taken out of the files and run as they stand,
but for paths and ports.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pandas as pd
import pytest
import yaml

from tests.flows.conftest import ROOT, TIDEGATE, Said
from tidegate_flows.asked_host import hosts_of

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
PODS = sorted((DEPLOY / "kubernetes").iterdir())
PATIENCE = 90.0  # seconds for a start on a busy machine
BIN = TIDEGATE.parent


def validator(name: str) -> str:
    """A program that validates files, or a skipped test."""
    found = BIN / name if (BIN / name).exists() else shutil.which(name)
    if found is None:
        if os.environ.get("TIDEGATE_REQUIRE_ALL") == "1":
            pytest.fail(f"{name} is required here, and is not installed")
        pytest.skip(f"{name} is not installed")
    return str(found)


def judged(*command: object) -> None:
    done = subprocess.run([str(item) for item in command], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warn" not in done.stderr.lower()


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text()))


def pods() -> Iterator[dict[str, Any]]:
    for path in PODS:
        yield from yaml.safe_load_all(path.read_text())


def containers(kind: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Pod and container of each thing of a kind."""
    for item in pods():
        if item["kind"] == kind:
            spec = item["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else item["spec"]
            pod = spec["template"]["spec"]
            yield from ((pod, container) for container in pod["containers"])


def unit(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / name).read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_compose_keeps_its_published_schema() -> None:
    judged(validator("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


@pytest.mark.more
def test_the_image_keeps_the_rules_of_its_linter() -> None:
    judged(validator("hadolint"), DEPLOY / "Dockerfile")


@pytest.mark.more
def test_the_pods_keep_their_schemas() -> None:
    judged(validator("kubernetes-validate"), "--strict", *PODS)


@pytest.mark.more
def test_the_units_are_ones_that_systemd_takes(tmp_path: Path) -> None:
    program = validator("systemd-analyze")
    for path in UNITS:
        (tmp_path / path.name).write_text(path.read_text().replace("/opt/tidegate/bin/tidegate", str(TIDEGATE)))
    judged(program, "verify", *sorted(tmp_path.iterdir()))


def test_nothing_in_deploy_has_a_password_and_every_port_is_of_this_host_alone() -> None:
    for path in DEPLOY.rglob("*"):
        if path.is_file() and "grafana" not in path.parts:
            for url in re.findall(r"\w+://[^\s\"']*:([^\s\"'@/]+)@", path.read_text()):
                assert url == "CHANGE-ME", path
    for name, service in compose()["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert "healthcheck" in service, name
        for key, value in service.get("environment", {}).items():
            assert not re.search(r"PASSWORD|LEDGER|CONNECTION_URL", key) or str(value).startswith("${"), key


def test_every_variable_of_compose_is_in_the_example_and_every_folder_that_it_mounts_is_there() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    example = (DEPLOY / "env.example").read_text()
    for name in set(re.findall(r"\$\{(\w+)", text)):
        assert re.search(rf"^#?{name}=", example, re.MULTILINE), name
    for mount in re.findall(r"(\./\w[\w/]*):/", text):
        assert (DEPLOY / mount).is_dir(), mount


def test_prometheus_and_grafana_find_in_compose_what_they_are_told_of() -> None:
    configs, services = compose()["configs"], compose()["services"]
    prometheus = yaml.safe_load(configs["prometheus"]["content"])
    (folder,) = (mount.partition(":")[0] for mount in services["prometheus"]["volumes"] if ":/etc/prometheus:" in mount)
    for rules in prometheus["rule_files"]:
        assert list((DEPLOY / folder).glob(Path(rules).name))
    (job,) = prometheus["scrape_configs"]
    targets = [job["static_configs"][0]["targets"][0], prometheus["alerting"]["alertmanagers"][0]["static_configs"]]
    (source,) = yaml.safe_load(configs["grafana-datasource"]["content"])["datasources"]
    for address in (targets[0], targets[1][0]["targets"][0], source["url"].removeprefix("http://")):
        name, _, port = address.partition(":")
        assert any(published.endswith(f":{port}") for published in services[name]["ports"])
    shipped = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/tidegate.yaml").read_text())
    assert source["uid"] == shipped["datasources"][0]["uid"]
    provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/tidegate.yaml").read_text())["providers"][0]
    assert any(f":{provider['options']['path']}:" in mount for mount in services["grafana"]["volumes"])


def guide(command: str) -> list[str]:
    """The one command of the guide that begins so."""
    (line,) = re.findall(rf"^{re.escape(command)}.*$", (ROOT / "docs" / "deploy.md").read_text(), re.MULTILINE)
    return shlex.split(line, comments=True)


@pytest.mark.more
def test_what_the_guide_renders_is_loaded_and_calls_somebody(
    tidegate: Callable[..., Said], contract_file: Callable[..., Path], tmp_path: Path
) -> None:
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    command = [str(contract_file()) if "*" in word else word for word in guide("tidegate render deploy/contracts")[1:]]
    said = tidegate(*command, cwd=tmp_path)
    assert said.code == 0, said.err
    rules = {path.name for path in (tmp_path / "deploy/prometheus").glob("*.rules.yaml")}
    assert "tidegate.declared.rules.yaml" in rules
    patterns = yaml.safe_load(compose()["configs"]["prometheus"]["content"])["rule_files"]
    there = [path.name for path in (tmp_path / "deploy/prometheus").iterdir()]
    assert {name for name in there for pattern in patterns if fnmatch(f"/etc/prometheus/{name}", pattern)} == rules
    receivers = yaml.safe_load((tmp_path / "deploy/alertmanager/alertmanager.yaml").read_text())["receivers"]
    called = {hook["url"] for receiver in receivers for hook in receiver["webhook_configs"]}
    assert called == {command[command.index("--webhook") + 1], command[command.index("--heartbeat") + 1]}
    for name in rules:
        led = set(re.findall(r"runbook_url: (\S+)#", (tmp_path / "deploy/prometheus" / name).read_text()))
        assert led == {command[command.index("--runbook-url") + 1]}, name


def test_what_the_guide_renders_for_a_cluster_are_options_that_there_are(tidegate: Callable[..., Said]) -> None:
    options = {word for word in guide("tidegate render contracts") if word.startswith("--")}
    assert {"--webhook", "--heartbeat", "--runbook-url", "--alertmanager", "--exporter", "--output"} == options
    said = tidegate("render", "--help", env={"COLUMNS": "200"}).out
    assert all(option in said for option in options)


def test_compose_mounts_what_batches_and_labels_need_and_its_exporter_answers_under_names_of_its_own_alone() -> None:
    services = compose()["services"]
    mounted = {mount.split(":")[-2] for mount in services["prefect-worker"]["volumes"] if mount.endswith(":ro")}
    assert mounted == {"/contracts", "/landing", "/labels"}
    command = services["exporter"]["command"]
    more = [name for option, name in pairwise(command) if option == "--allow-host"]
    names = hosts_of("0.0.0.0", command[command.index("--host") + 1], more)  # noqa: S104 - in a container
    assert names is not None
    (job,) = yaml.safe_load(compose()["configs"]["prometheus"]["content"])["scrape_configs"]
    asked = {target.partition(":")[0] for each in job["static_configs"] for target in each["targets"]}
    assert {*asked, "127.0.0.1", "localhost"} <= names
    assert "evil.example" not in names


def test_what_reads_variables_is_given_those_that_it_needs_and_its_packages() -> None:
    example = (DEPLOY / "env.example").read_text()
    worker = compose()["services"]["prefect-worker"]["environment"]
    handed = {name for name, value in worker.items() if value is None}
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"} <= handed
    for name in handed:
        assert re.search(rf"^#?{name}=", example, re.MULTILINE), name
    secret = guide("kubectl create secret generic tidegate-environment")[4]
    for _, container in containers("CronJob"):
        assert {"secretRef": {"name": secret, "optional": True}} in container["envFrom"]
    extras = set(re.findall(r"\w+", guide("sudo /opt/tidegate/bin/pip install")[-1]))
    assert {"postgres", "s3", "otel"} <= extras


def test_a_batch_at_hand_may_be_ended_and_one_that_hangs_is() -> None:
    assert compose()["services"]["prefect-worker"]["stop_grace_period"] == "300s"
    jobs = [item["spec"] for item in pods() if item["kind"] == "CronJob"]
    for job in jobs:
        assert job["concurrencyPolicy"] == "Forbid"
        assert job["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 3600
    assert len(jobs) == 2


def test_postgres_is_not_well_before_it_listens_where_others_reach_it() -> None:
    check = compose()["services"]["postgres"]["healthcheck"]["test"]
    assert check[check.index("--host") + 1] == "127.0.0.1"


def test_pods_and_units_run_as_nobody_in_particular_and_write_only_where_they_must() -> None:
    for kind in ("Deployment", "CronJob"):
        for pod, container in containers(kind):
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["automountServiceAccountToken"] is False
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            (ledger,) = (item for item in container["env"] if item["name"] == "TIDEGATE_LEDGER")
            assert "secretKeyRef" in ledger["valueFrom"]
    for path in UNITS:
        if path.suffix == ".service":
            found = unit(path.name)
            assert found["NoNewPrivileges"] == ["yes"]
            assert found["ProtectSystem"] == ["strict"]
            assert found["ReadWritePaths"] == ["/var/lib/tidegate"]
            assert found["User"] == ["tidegate"]
    assert re.search(r"^USER 10001:10001$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)


def instruction(name: str) -> list[str]:
    """The last instruction of a name in the Dockerfile that is written as a list."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    found = re.findall(rf"^\s*{name}\b[^\[\n]*(\[.*\])$", text, re.MULTILINE)
    return list(json.loads(found[-1]))


def servers() -> dict[str, list[str]]:
    """The command of each exporter."""
    ((_, container),) = containers("Deployment")
    return {
        "image": [*instruction("ENTRYPOINT"), *instruction("CMD")],
        "compose": [*instruction("ENTRYPOINT"), *compose()["services"]["exporter"]["command"]],
        "systemd": shlex.split(unit("tidegate-exporter.service")["ExecStart"][0]),
        "kubernetes": [*container["command"], *container["args"]],
    }


def looks() -> dict[str, list[str]]:
    """The command of each look at what has landed, and of each join of labels."""
    names = {container["name"]: [*container["command"], *container["args"]] for _, container in containers("CronJob")}
    return {
        "kubernetes gate": names["gate"],
        "kubernetes labels": names["labels"],
        "systemd look": shlex.split(unit("tidegate-look@.service")["ExecStart"][0]),
        "systemd labels": [
            word.replace("$$", "$") for word in shlex.split(unit("tidegate-labels@.service")["ExecStart"][0])
        ],
    }


@pytest.fixture
def here(
    tmp_path: Path, contract_file: Callable[..., Path], make_orders: Callable[..., pd.DataFrame]
) -> Callable[[list[str]], list[str]]:
    """A command with the paths of this machine; one batch has landed, and its labels have come."""
    landing, labels = tmp_path / "landing", tmp_path / "labels"
    landing.mkdir()
    labels.mkdir()
    orders = make_orders(1)
    orders.to_parquet(landing / "2024-03-02.parquet", index=False)
    os.utime(landing / "2024-03-02.parquet", (1e9, 1e9))
    orders[["order_id"]].assign(returned=0.0).to_parquet(labels / "2024-03-09.parquet", index=False)
    places = {
        "/opt/tidegate/bin/tidegate": str(TIDEGATE),
        "/etc/tidegate/contracts/%i.py": str(contract_file()),
        "/contracts/flights.py": str(contract_file()),
        "/var/lib/tidegate/landing/%i": str(landing),
        "/landing/flights": str(landing),
        "/var/lib/tidegate/labels/%i": str(labels),
        "/labels/flights": str(labels),
        "0.0.0.0": "127.0.0.1",  # noqa: S104 - taken away
    }

    def substituted(command: list[str]) -> list[str]:
        found = []
        for word in command:
            for there, place in places.items():
                word = word.replace(there, place)
            found.append(word)
        return found

    return substituted


@pytest.mark.parametrize("where", ["kubernetes labels", "systemd labels"])
def test_a_morning_without_labels_is_no_failure(
    where: str, here: Callable[[list[str]], list[str]], store: Path, tmp_path: Path
) -> None:
    for path in (tmp_path / "labels").iterdir():
        path.unlink()
    with process(here(looks()[where]), store) as running:
        said, _ = running.communicate(timeout=PATIENCE)
    assert (running.returncode, said) == (0, "")
    assert not store.exists()


@contextmanager
def process(command: list[str], store: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    variables = os.environ | {"TIDEGATE_STORE": str(store), "PATH": f"{BIN}:{os.environ['PATH']}"} | environment
    running = subprocess.Popen(
        command, env=variables, cwd=store.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        running.communicate(timeout=30)


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return str(listening.getsockname()[1])


def answers(url: str, running: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(url, timeout=5) as answer:  # noqa: S310 - a server of this test
                assert answer.status == 200
                return
        except (URLError, OSError):
            assert running.poll() is None, running.communicate()[0]
            assert time.monotonic() < end, f"{url} does not answer"
            time.sleep(0.2)


def stopped(running: subprocess.Popen[str]) -> tuple[int, str]:
    running.send_signal(signal.SIGTERM)
    said, _ = running.communicate(timeout=PATIENCE)
    return running.returncode, said


@pytest.mark.more
@pytest.mark.parametrize("where", ["image", "compose", "systemd", "kubernetes"])
def test_the_exporter_starts_answers_its_health_check_and_stops_when_told(
    where: str, here: Callable[[list[str]], list[str]], store: Path
) -> None:
    port = free_port()
    command = [port if word == "9464" else word for word in here(servers()[where])]
    with process(command, store) as running:
        answers(f"http://127.0.0.1:{port}/healthz", running)
        for check in health_checks():
            wanted = [word.replace("9464", port) for word in check]
            assert subprocess.run([str(BIN / "python"), *wanted[1:]], timeout=60, check=False).returncode == 0
        code, said = stopped(running)
    assert (code, "stopped" in said) == (0, True)


def health_checks() -> list[list[str]]:
    """The health checks of image and compose."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    (image,) = re.findall(r"^HEALTHCHECK[^\[\n]*(\[.*\])$", text, re.MULTILINE)
    return [list(json.loads(image)), compose()["services"]["exporter"]["healthcheck"]["test"][1:]]


@pytest.mark.more
def test_the_watch_takes_what_has_landed_and_stops_when_told(
    here: Callable[[list[str]], list[str]], store: Path, tmp_path: Path
) -> None:
    command = [*here(shlex.split(unit("tidegate-watch@.service")["ExecStart"][0])), "--settle", "0.1", "--every", "0.2"]
    published = store / "orders" / "published" / "2024-03-02.parquet"
    with process(command, store) as running:
        end = time.monotonic() + PATIENCE
        while not published.exists():
            assert running.poll() is None, running.communicate()[0]
            assert time.monotonic() < end
            time.sleep(0.2)
        code, said = stopped(running)
    assert code == 0
    (run,) = (json.loads(line) for line in said.splitlines() if line.startswith("{"))
    assert run["decision"] == "publish"


@pytest.mark.more
def test_the_looks_and_the_labels_of_timers_and_cron_jobs_do_their_work(
    here: Callable[[list[str]], list[str]], store: Path, tmp_path: Path
) -> None:
    commands = looks()
    for name in ("kubernetes gate", "systemd look", "kubernetes labels", "systemd labels"):
        with process(here(commands[name]), store) as running:
            said, _ = running.communicate(timeout=PATIENCE)
        assert running.returncode == 0, (name, said)
    assert (store / "orders" / "published" / "2024-03-02.parquet").is_file()
    assert "warning" not in said


@pytest.mark.more
@pytest.mark.xdist_group("prefect")
def test_prefects_server_and_worker_start_answer_and_stop_when_told(store: Path, tmp_path: Path) -> None:
    services, port, health = compose()["services"], free_port(), free_port()
    server = [*services["prefect-server"]["entrypoint"], *services["prefect-server"]["command"]]
    worker = [*services["prefect-worker"]["entrypoint"], *services["prefect-worker"]["command"]]
    server = [{"4200": port, "0.0.0.0": "127.0.0.1"}.get(word, word) for word in server]  # noqa: S104 - taken away
    own = {"PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    told = own | {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api", "PREFECT_WORKER_WEBSERVER_PORT": health}
    with process(server, store, **own) as running:
        answers(f"http://127.0.0.1:{port}/api/health", running)
        with process(worker, store, **told) as working:
            answers(f"http://127.0.0.1:{health}/health", working)
            stopped(working)
        stopped(running)
