"""Stage "Filtering": keep the departures whose delay is known, with the weather of their hour and airport.

Input 1 holds flights.csv, input 2 holds weather.csv. Nothing but the columns that the next stage needs is written:
no tail number, no flight number, no exact time.
"""

import argparse
from pathlib import Path

import pandas as pd

parser = argparse.ArgumentParser()
parser.add_argument("--input1", type=Path, required=True)
parser.add_argument("--input2", type=Path, required=True)
parser.add_argument("--output", type=Path, required=True)
parser.add_argument("--logs", type=Path, required=True)
parser.add_argument("--longest-delay", type=int, default=600, help="minutes; longer ones are cancellations in disguise")
options = parser.parse_args()

flights = pd.read_csv(
    options.input1 / "flights.csv", usecols=["month", "origin", "carrier", "dep_delay", "distance", "time_hour"]
)
weather = pd.read_csv(
    options.input2 / "weather.csv", usecols=["origin", "time_hour", "wind_speed", "visib", "precip", "temp"]
)
print(f"read {len(flights):,} flights and {len(weather):,} hours of weather", flush=True)

joined = flights.merge(weather, on=["origin", "time_hour"], how="inner").dropna(subset=["dep_delay", "visib"])
kept = joined[joined["dep_delay"] <= options.longest_delay].drop(columns="time_hour")
print(f"kept {len(kept):,} departures with a known delay and known weather", flush=True)

kept.to_csv(options.output / "departures.csv", index=False)
(options.logs / "rows.txt").write_text(f"flights {len(flights)}\nweather {len(weather)}\nkept {len(kept)}\n")
