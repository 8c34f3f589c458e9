"""An example of automations: a consumer's deployment rests while a dataset's breaker is open.

    python deploy/automation.py DATASET FLOW/DEPLOYMENT

makes three of them on the Prefect server in force: on `tidegate.breaker.opened` or `.tripped` the deployment is paused,
on `tidegate.breaker.closed` it is resumed. Made again they replace those of the same name. It is a courtesy to people
and machines and no lock: a deploy un-pauses, so the consumer still calls `tidegate.require_closed` before it reads.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.events.actions import PauseDeployment, ResumeDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification


def automation(dataset: str, event: str, action: PauseDeployment | ResumeDeployment) -> AutomationCore:
    """One automation: whenever the breaker does so, do that."""
    return AutomationCore(
        name=f"{dataset}: {action.type} when {event}",
        description=f"tidegate's breaker of {dataset}",
        trigger=EventTrigger(
            posture=Posture.Reactive,
            expect={event},
            match=ResourceSpecification({"prefect.resource.id": f"tidegate.dataset.{dataset}"}),
            threshold=1,
            within=timedelta(0),
        ),
        actions=[action],
    )


def create(dataset: str, deployment: str) -> list[UUID]:
    """Make the automations for a consumer's deployment, named ``FLOW/DEPLOYMENT``."""
    with get_client(sync_client=True) as client:
        consumer = client.read_deployment_by_name(deployment).id
        wanted = [
            *(
                automation(
                    dataset, f"tidegate.breaker.{event}", PauseDeployment(source="selected", deployment_id=consumer)
                )
                for event in ("opened", "tripped")
            ),
            automation(dataset, "tidegate.breaker.closed", ResumeDeployment(source="selected", deployment_id=consumer)),
        ]
        for name in (item.name for item in wanted):
            for old in client.read_automations_by_name(name):
                client.delete_automation(old.id)
        return [client.create_automation(item) for item in wanted]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python deploy/automation.py DATASET FLOW/DEPLOYMENT")
    for made in create(sys.argv[1], sys.argv[2]):
        sys.stdout.write(f"automation {made}\n")
