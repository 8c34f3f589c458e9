"""The breaker, driven by every sequence of batches, waits, crashes and people that hypothesis can think of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tidegate_monitors.breaker import Breaker, Decision, Override, Policy, State

START = datetime(2024, 3, 1, tzinfo=UTC)
COOL_DOWN = timedelta(hours=12)

policies = st.builds(Policy, st.integers(1, 4), st.none() | st.just(COOL_DOWN))
waits = st.sampled_from([timedelta(0), timedelta(minutes=1), COOL_DOWN - timedelta(microseconds=1), COOL_DOWN])


class Gate(RuleBasedStateMachine):
    """A gate that admits and judges batches, loses workers, and is closed by hand now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker()
        self.policy = Policy()
        self.now = START
        self.batches = 0
        self.criticals = 0  # in a row, since the breaker was last closed
        self.opened_at: datetime | None = None
        self.lost: str | None = None  # the probe whose worker died before its verdict
        self.tripped = False  # by a person, and not closed since
        self.allowed = False  # by an override that nothing has ended

    @initialize(policy=policies)
    def start(self, policy: Policy) -> None:
        self.policy = policy

    def _arrival(self) -> str:
        self.batches += 1
        return f"batch {self.batches}"

    def _is_due(self) -> bool:
        cool_down = self.policy.cool_down
        waited = cool_down is not None and self.opened_at is not None and self.now >= self.opened_at + cool_down
        return waited and not self.tripped

    @rule(wait=waits)
    def time_passes(self, wait: timedelta) -> None:
        self.now += wait

    @rule(critical=st.booleans())
    def a_batch_arrives(self, critical: bool) -> None:
        batch, before = self._arrival(), self.breaker
        admitted = before.admit(batch, self.now, self.policy)
        probing = before.state is State.OPEN and self._is_due()
        assert (admitted.state is State.HALF_OPEN and admitted.probe == batch) is probing
        if not probing:
            assert admitted == before
        after, decision = admitted.step(batch, self.now, self.policy, critical=critical)
        self.breaker = after
        if critical:
            self._has_failed(decision, admitted, after, probing=probing)
        else:
            self._was_good(decision, admitted, after, probing=probing)

    def _has_failed(self, decision: Decision, before: Breaker, after: Breaker, *, probing: bool) -> None:
        assert decision is Decision.QUARANTINE
        self.criticals += 1
        if probing or (before.state is State.CLOSED and self.criticals >= self.policy.failure_threshold):
            assert after.state is State.OPEN
            assert after.changed_at == self.now
            self.opened_at = self.now
        else:
            assert after.state is before.state
            assert after.changed_at == before.changed_at

    def _was_good(self, decision: Decision, before: Breaker, after: Breaker, *, probing: bool) -> None:
        passes = probing or before.state is State.CLOSED
        assert decision is (Decision.PUBLISH if passes else Decision.HOLD)
        if passes:
            assert after.state is State.CLOSED
            self._is_closed()
        else:
            assert after == before

    def _is_closed(self) -> None:
        self.criticals, self.opened_at, self.lost, self.tripped, self.allowed = 0, None, None, False, False

    @precondition(lambda self: self.breaker.state is State.OPEN and self._is_due())
    @rule()
    def a_probe_is_admitted_and_its_worker_dies(self) -> None:
        self.lost = self._arrival()
        self.breaker = self.breaker.admit(self.lost, self.now, self.policy)
        assert self.breaker.state is State.HALF_OPEN

    @precondition(lambda self: self.breaker.state is State.HALF_OPEN)
    @rule(critical=st.booleans())
    def the_lost_probe_comes_back(self, critical: bool) -> None:
        assert self.lost is not None
        admitted = self.breaker.admit(self.lost, self.now, self.policy)
        assert admitted == self.breaker
        self.breaker, decision = admitted.step(self.lost, self.now, self.policy, critical=critical)
        self.lost = None
        if critical:
            assert (self.breaker.state, decision) == (State.OPEN, Decision.QUARANTINE)
            self.criticals, self.opened_at = self.criticals + 1, self.now
        else:
            assert (self.breaker.state, decision) == (State.CLOSED, Decision.PUBLISH)
            self._is_closed()

    @rule()
    def somebody_closes_it(self) -> None:
        before = self.breaker
        self.breaker = before.close(self.now, "ada: looked at it")
        assert self.breaker.state is State.CLOSED
        if before.state is State.CLOSED:
            assert self.breaker == before
        else:
            assert self.breaker == Breaker(State.CLOSED, 0, self.now, "ada: looked at it")
            self._is_closed()

    @rule()
    def somebody_trips_it(self) -> None:
        self.breaker = self.breaker.trip(self.now, "bob: stop")
        assert self.breaker == Breaker(State.OPEN, self.criticals, self.now, "bob: stop", tripped=True)
        self.opened_at, self.lost, self.tripped, self.allowed = self.now, None, True, False

    @precondition(lambda self: self.breaker.state is not State.CLOSED)
    @rule()
    def somebody_overrides_it(self) -> None:
        self.breaker = replace(self.breaker, override=Override(self.now + COOL_DOWN, "ada", "a report is due"))
        self.allowed = True

    @invariant()
    def an_override_ends_where_it_is_closed_or_tripped_and_a_trip_where_it_is_closed(self) -> None:
        assert (self.breaker.override is not None) is self.allowed
        assert self.breaker.tripped is self.tripped

    @invariant()
    def it_is_open_after_as_many_criticals_in_a_row_as_its_policy_says(self) -> None:
        if self.breaker.state is State.CLOSED:
            assert self.criticals < self.policy.failure_threshold
        assert self.breaker.failures == self.criticals

    @invariant()
    def it_half_opens_for_one_probe_and_only_with_a_cool_down(self) -> None:
        assert (self.breaker.state is State.HALF_OPEN) is (self.breaker.probe is not None)
        assert self.breaker.state is State.OPEN or not self.tripped
        assert self.breaker.probe == self.lost
        if self.policy.cool_down is None:
            assert self.breaker.state is not State.HALF_OPEN

    @invariant()
    def its_last_change_has_a_time_and_a_cause(self) -> None:
        assert (self.breaker.changed_at is None) is (self.breaker.cause is None)
        if self.breaker.state is not State.CLOSED:
            assert self.breaker.changed_at is not None
            assert self.breaker.changed_at <= self.now


class TestGate(Gate.TestCase):  # type: ignore[misc, name-defined]
    """Run the machine."""

    settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def _pass(breaker: Breaker, policy: Policy, verdicts: list[bool], every: timedelta) -> list[tuple[State, Decision]]:
    """Batches through the gate, one after the other; gives the state each one met and what became of it."""
    found = []
    for number, critical in enumerate(verdicts, start=1):
        now = START + number * every
        admitted = breaker.admit(str(number), now, policy)
        breaker, decision = admitted.step(str(number), now, policy, critical=critical)
        found.append((admitted.state, decision))
    return found


@given(policies, st.lists(st.booleans(), max_size=40), waits)
def test_a_critical_batch_is_never_published_and_an_open_breaker_publishes_nothing(
    policy: Policy, verdicts: list[bool], every: timedelta
) -> None:
    for critical, (state, decision) in zip(verdicts, _pass(Breaker(), policy, verdicts, every), strict=True):
        assert (decision is Decision.QUARANTINE) is critical
        assert state is not State.OPEN or decision is not Decision.PUBLISH


@given(st.integers(1, 6), st.lists(st.booleans(), max_size=10))
def test_criticals_in_a_row_open_it_and_a_good_batch_starts_the_count_again(threshold: int, before: list[bool]) -> None:
    policy = Policy(threshold)
    breaker = Breaker()
    for number, critical in enumerate([*before, False]):
        breaker, _ = breaker.step(str(number), START, policy, critical=critical)
        if breaker.state is State.OPEN:
            return
    for number in range(threshold):
        assert breaker.state is State.CLOSED
        breaker, decision = breaker.step(f"bad {number}", START, policy, critical=True)
        assert decision is Decision.QUARANTINE
    assert (breaker.state, breaker.failures, breaker.changed_at) == (State.OPEN, threshold, START)
    assert breaker.cause == f"bad {threshold - 1}"


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_without_a_cool_down_it_waits_for_a_person_however_long_that_takes(verdicts: list[bool]) -> None:
    opened, _ = Breaker().step("bad", START, Policy(), critical=True)
    found = _pass(opened, Policy(1, None), verdicts, timedelta(days=365))
    assert {state for state, _ in found} == {State.OPEN}
    assert Decision.PUBLISH not in {decision for _, decision in found}
    closed = opened.close(START, "ada: repaired")
    assert closed.step("good", START, Policy(), critical=False) == (closed, Decision.PUBLISH)


def test_the_probe_decides_and_nobody_else() -> None:
    policy = Policy(1, COOL_DOWN)
    opened, _ = Breaker().step("bad", START, policy, critical=True)
    early = opened.admit("early", START + COOL_DOWN - timedelta(microseconds=1), policy)
    assert early is opened
    half = opened.admit("probe", START + COOL_DOWN, policy)
    assert (half.state, half.probe, half.changed_at) == (State.HALF_OPEN, "probe", START + COOL_DOWN)
    late = START + 5 * COOL_DOWN
    assert half.admit("another", late, policy) is half
    assert half.step("another", late, policy, critical=False) == (half, Decision.HOLD)
    beside, decision = half.step("another", late, policy, critical=True)
    assert (beside.state, beside.probe, decision) == (State.HALF_OPEN, "probe", Decision.QUARANTINE)
    assert half.step("probe", late, policy, critical=False) == (
        Breaker(State.CLOSED, 0, late, "probe"),
        Decision.PUBLISH,
    )
    assert half.step("probe", late, policy, critical=True) == (
        Breaker(State.OPEN, 2, late, "probe"),
        Decision.QUARANTINE,
    )


def test_an_open_breaker_that_meets_more_criticals_does_not_cool_down_later() -> None:
    policy = Policy(1, COOL_DOWN)
    opened, _ = Breaker().step("bad", START, policy, critical=True)
    again, _ = opened.step("worse", START + COOL_DOWN / 2, policy, critical=True)
    assert (again.changed_at, again.cause) == (START, "bad")
    assert again.admit("probe", START + COOL_DOWN, policy).state is State.HALF_OPEN


def test_a_breaker_that_was_tripped_waits_for_a_person_and_a_probe_that_fails_changes_nothing_of_that() -> None:
    policy, later = Policy(1, COOL_DOWN), START + 10 * COOL_DOWN
    tripped = Breaker().trip(START, "bob: stop")
    assert tripped.admit("next", later, policy) is tripped
    assert tripped.step("next", later, policy, critical=False) == (tripped, Decision.HOLD)
    asked = tripped.ask_probe(None, later, later, "ann: try").admit("probe", later, policy)
    failed, _ = asked.step("probe", later, policy, critical=True)
    lost = replace(asked, probe_until=later).lost(later, later)
    for again in (failed, lost):
        assert (again.state, again.tripped) == (State.OPEN, True)
        assert again.admit("next", later + 10 * COOL_DOWN, policy) is again
    passed, decision = asked.step("probe", later, policy, critical=False)
    assert (passed, decision) == (Breaker(State.CLOSED, 0, later, "probe"), Decision.PUBLISH)


def test_one_that_opened_by_itself_is_open_by_hand_once_somebody_trips_it() -> None:
    policy = Policy(1, COOL_DOWN)
    opened, _ = Breaker().step("bad", START, policy, critical=True)
    tripped = opened.trip(START + COOL_DOWN / 2, "bob: stop")
    assert (tripped.changed_at, tripped.cause, tripped.failures) == (START + COOL_DOWN / 2, "bob: stop", 1)
    assert tripped.admit("probe", START + 2 * COOL_DOWN, policy) is tripped


def test_whatever_closes_or_trips_it_ends_an_override() -> None:
    policy, override = Policy(1), Override(START + COOL_DOWN, "ann", "a report is due")
    opened, _ = Breaker().step("bad", START, policy, critical=True)
    allowed = replace(opened, override=override)
    assert allowed.overridden(Decision.HOLD, START)
    assert allowed.trip(START, "bob: stop").override is None
    assert allowed.close(START, "ann: well").override is None
    assert replace(Breaker(), override=override).close(START, "ann: well") == Breaker()
    half = allowed.ask_probe("probe", START, START + COOL_DOWN, "ann: try")
    assert half.override == override
    assert half.step("probe", START, policy, critical=False)[0].override is None
    assert half.step("probe", START, policy, critical=True)[0].override == override
    standing = replace(Breaker(), override=override)
    assert standing.step("bad", START, policy, critical=True)[0].override is None
