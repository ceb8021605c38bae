"""Places: whether an event happened near one."""

import re
from math import asin, cos, isfinite, radians, sin, sqrt
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from rules.asked import Asked
from rules.problems import mistake, shown
from rules.saying import Language
from rules.source import Readings
from rules.words import Number

__all__ = ["Near", "distance"]

_METRES = re.compile(r"([1-9][0-9]{0,5})(m|km)")
_EARTH = 6_371_008.8
"""The mean radius of WGS-84, in metres."""


def distance(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Give the metres between two places by the haversine formula.

    Examples
    --------
    >>> round(distance(31.2304, 121.4737, 31.2397, 121.4998))
    2688

    """
    north, south = radians(lat), radians(other_lat)
    half = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(radians(other_lon - lon) / 2) ** 2
    return 2 * _EARTH * asin(min(1.0, sqrt(half)))


def _radius(value: object) -> int:
    found = _METRES.fullmatch(value) if isinstance(value, str) else None
    metres = int(found[1]) * (1000 if found[2] == "km" else 1) if found else 0
    if not 1 <= metres <= 500_000:
        raise mistake(f"expected a radius such as 500m or 2km, at most 500km, got {shown(value)}")
    return metres


def _written(metres: int) -> str:
    return f"{metres // 1000}km" if metres % 1000 == 0 else f"{metres}m"


Radius = Annotated[
    int,
    PlainValidator(_radius),
    PlainSerializer(_written, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{_METRES.pattern}$",
            "description": "How far from the place, at most 500km.",
            "examples": ["500m", "2km"],
        }
    ),
]


def _degrees(most: int, where: str) -> WithJsonSchema:
    return WithJsonSchema(
        {"type": "number", "minimum": -most, "maximum": most, "description": f"Degrees {where} of WGS-84."}
    )


class Near(Asked):
    """A test of the place: at most so far from it. An event without a place meets no such test."""

    lat: Annotated[Number, Field(ge=-90, le=90), _degrees(90, "north")]
    lon: Annotated[Number, Field(ge=-180, le=180), _degrees(180, "east")]
    radius: Radius

    def fits(self, value: Any) -> bool | None:
        """Whether a place, a pair of latitude and longitude, lies within the radius."""
        lat, lon = value
        if lat is None or lon is None or not (isfinite(lat) and isfinite(lon)):
            return None
        return distance(self.lat, self.lon, lat, lon) <= self.radius

    def of_field(self, name: str, readings: Readings, *, indexed: bool = False) -> list[str]:
        """Write that the event happened within the radius."""
        far = f"distance({self.lat!r}, {self.lon!r}, f_lat, f_lon)"
        # A degree of latitude is 111 km everywhere: most places are told apart by one comparison.
        degrees = self.radius / 111_000
        south, north = float(self.lat) - degrees, float(self.lat) + degrees
        return [
            "f_lat is not None and f_lon is not None",
            f"{south!r} <= f_lat <= {north!r}",
            f"{far} <= {self.radius}",
        ]

    def said(self, name: str, language: Language) -> str:
        """Say the place and the radius."""
        place = f"({self.lat}, {self.lon})"
        return (
            f"距{place}不超过{_written(self.radius)}"
            if language == "zh"
            else f"within {_written(self.radius)} of {place}"
        )
