"""The datasets, one file each, in the order of the tables."""

from __future__ import annotations

from tests.bench.alarms.history import Origin
from tests.bench.alarms.sources import appliances, census, flights, power, retail, stops, traffic, weather

ORIGINS: tuple[Origin, ...] = (
    flights.ORIGIN,
    weather.ORIGIN,
    retail.ORIGIN,
    power.ORIGIN,
    traffic.ORIGIN,
    appliances.ORIGIN,
    stops.ORIGIN,
    census.ORIGIN,
)
