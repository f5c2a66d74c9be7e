"""Stage "Transformation": how much does bad weather delay a departure?

Input 1 holds departures.csv of the stage before. A table and a picture come out; a group of fewer flights than
``--smallest-group`` is left out, so that no row is about only a few flights.
"""

import argparse
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
import pandas as pd

parser = argparse.ArgumentParser()
parser.add_argument("--input1", type=Path, required=True)
parser.add_argument("--output", type=Path, required=True)
parser.add_argument("--logs", type=Path, required=True)
parser.add_argument("--smallest-group", type=int, default=100)
options = parser.parse_args()

departures = pd.read_csv(options.input1 / "departures.csv")
print(f"read {len(departures):,} departures", flush=True)

sight = pd.cut(departures["visib"], [-0.01, 1, 3, 6, 9.99, 10], labels=["0–1", "1–3", "3–6", "6–10", "10"])
rain = departures["precip"].fillna(0).gt(0).map({True: "rain", False: "dry"})
table = (
    departures.groupby([sight.rename("visibility (miles)"), rain.rename("rain")], observed=True)["dep_delay"]
    .agg(flights="size", mean_delay="mean", late=lambda minutes: (minutes > 15).mean())
    .reset_index()
)
table = table[table["flights"] >= options.smallest_group].round({"mean_delay": 1, "late": 3})
print(f"{len(table)} groups of at least {options.smallest_group} flights", flush=True)
table.to_csv(options.output / "delay_by_weather.csv", index=False)

wide = table.pivot_table(index="visibility (miles)", columns="rain", values="mean_delay", observed=True)
axes = wide.plot.bar(rot=0, figsize=(7, 3.6), color={"dry": "#d9a441", "rain": "#2f6f9f"}, width=0.75)
axes.set_title("Mean departure delay by visibility, New York airports, 2013")
axes.set_ylabel("minutes")
axes.set_ylim(top=axes.get_ylim()[1] * 1.12)
axes.legend(loc="upper center", ncols=2, frameon=False)
axes.spines[["top", "right"]].set_visible(False)
plt.tight_layout()
folder = options.output / "pictures"
folder.mkdir()
plt.savefig(folder / "delay_by_weather.png", dpi=120)
print("done", flush=True)
