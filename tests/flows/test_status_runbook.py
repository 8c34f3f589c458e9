"""The runbook's page, to which alerts lead."""

from __future__ import annotations

from pathlib import Path

from tests.flows.status_site import browser
from tidegate_flows.alert_rules import groups


def test_each_alert_leads_to_its_section_also_where_there_is_no_ledger(tmp_path: Path) -> None:
    page = browser(tmp_path / "nowhere").get("/runbook")
    assert page.status_code == 200
    for alert in groups.alerts():
        assert f'<h2 id="{alert.anchor}">{alert.name}</h2>' in page.text
    assert "<code>tidegate breaker status DATASET</code>" in page.text


def test_every_page_leads_to_the_runbook(tmp_path: Path) -> None:
    assert 'href="/runbook"' in browser(tmp_path / "nowhere").get("/login").text
