"""What a run of the benchmark gives, and what of it must be reached."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.bench.load import LoadResult
from tests.bench.probes import Measure, ProbeResult

MOST_CPU, MOST_P99, LEAST_RATE = 2.0, 1.5, 60
QUANTILES = (0.5, 0.95, 0.99)
ENOUGH_FOR_P99 = 150
"""Keys; with fewer, the 99th percentile is one mishap."""

NAMES = {Measure.PRESS: "press → prompt", Measure.FINISHED_KEY: "finished key → prompt (SIP INFO)"}
NOTE = """
  press → prompt: from the first packet of a key press, sent in RTP as an ordinary phone does, to the first packet of the
  next prompt. The 100 ms for which the key is down are in it, on both sides alike, and draw the ratio towards 1: at 1.5 a
  caller waits some 50 ms longer. Its p99 has the target.
  finished key → prompt: without the press, from the SIP INFO that tells of it; the bare reaction, which has no target."""


@dataclass
class Side:
    """One of the two menus, over all rounds."""

    asterisk_cpu: list[float] = field(default_factory=list)
    controller_cpu: list[float] = field(default_factory=list)
    """Milliseconds per call, one figure a round."""
    calls: int = 0
    failed: int = 0
    times: dict[Measure, list[float]] = field(default_factory=lambda: {measure: [] for measure in Measure})
    """Seconds, one figure a probe call."""
    clean_rate: int = 0
    stopped_by: str = ""

    def add_round(self, load: LoadResult, probes: ProbeResult, asterisk_seconds: float, controller_seconds: float) -> None:
        calls = load.calls + probes.calls
        self.calls += calls
        self.failed += load.failed + probes.failed
        for measure, times in probes.times.items():
            self.times[measure] += times
        self.asterisk_cpu.append(1000 * asterisk_seconds / calls)
        self.controller_cpu.append(1000 * controller_seconds / calls)

    @property
    def cpu(self) -> float:
        """Milliseconds of Asterisk and controller together per call."""
        return mean(self.asterisk_cpu) + mean(self.controller_cpu)

    def milliseconds(self, measure: Measure, share: float) -> float:
        return 1000 * quantile(self.times[measure], share)

    def stopped(self) -> str:
        """The rate, with a + when the next one was not tried."""
        return f"{self.clean_rate}" if self.stopped_by else f"{self.clean_rate}+"

    def data(self) -> dict[str, object]:
        """For the JSON file."""
        return {
            "cpu_ms_per_call": {
                "asterisk": mean(self.asterisk_cpu),
                "controller": mean(self.controller_cpu),
                "asterisk_by_round": self.asterisk_cpu,
                "controller_by_round": self.controller_cpu,
            },
            "times_ms": {measure: _by_quantile(functools.partial(self.milliseconds, measure)) for measure in Measure},
            "times_measured": {measure: len(times) for measure, times in self.times.items()},
            "calls": self.calls,
            "failed": self.failed,
            "highest_clean_rate": self.clean_rate,
            "stopped_by": self.stopped_by,
        }


@dataclass
class Figures:
    """Both menus; the controller's cost counts in the rounds of Attendant only."""

    dialplan: Side = field(default_factory=Side)
    attendant: Side = field(default_factory=Side)
    stored: int = 0
    stored_whole: int = 0
    placed: int = 0
    """Calls to Attendant in the whole run."""
    asterisk_megabytes: float = 0
    controller_megabytes: float = 0

    @property
    def cpu_ratio(self) -> float:
        return self.attendant.cpu / self.dialplan.cpu

    def time_ratio(self, measure: Measure, share: float) -> float:
        return self.attendant.milliseconds(measure, share) / self.dialplan.milliseconds(measure, share)

    @property
    def cpu_ratios(self) -> list[float]:
        """One figure a round: how far apart they are says how far to trust them."""
        by_round = zip(self.dialplan.asterisk_cpu, self.attendant.asterisk_cpu, self.attendant.controller_cpu, strict=True)
        return [(asterisk + controller) / dialplan for dialplan, asterisk, controller in by_round]

    def targets(self) -> list[tuple[str, bool | None]]:
        """Each target in words, and whether it is met; None when too little was measured to say."""
        p99 = self.time_ratio(Measure.PRESS, 0.99)
        enough = min(len(side.times[Measure.PRESS]) for side in (self.dialplan, self.attendant)) >= ENOUGH_FOR_P99
        rate = self.attendant.clean_rate
        return [
            (f"CPU per call at most {MOST_CPU:g} × dialplan: {self.cpu_ratio:.2f}", self.cpu_ratio <= MOST_CPU),
            (f"{NAMES[Measure.PRESS]} p99 at most {MOST_P99:g} × dialplan: {p99:.2f}", p99 <= MOST_P99 if enough else None),
            (f"{LEAST_RATE} calls/s clean: {rate}", rate >= LEAST_RATE),
            (f"every call stored with its path: {self.stored_whole} of {self.placed}", self.stored_whole == self.placed),
        ]

    def table(self) -> str:
        """For the screen."""
        one, two = self.dialplan, self.attendant
        rows = [
            ("", "dialplan", "Attendant", "ratio"),
            ("CPU per call, Asterisk (ms)", f"{mean(one.asterisk_cpu):.2f}", f"{mean(two.asterisk_cpu):.2f}", ""),
            ("CPU per call, controller (ms)", "-", f"{mean(two.controller_cpu):.2f}", ""),
            ("CPU per call, together (ms)", f"{one.cpu:.2f}", f"{two.cpu:.2f}", f"{self.cpu_ratio:.2f}"),
            ("  in single rounds", "", "", f"{min(self.cpu_ratios):.2f}-{max(self.cpu_ratios):.2f}"),
            *(row for measure in Measure for row in self._time_rows(measure)),
            ("highest clean rate (calls/s)", one.stopped(), two.stopped(), ""),
            ("calls measured, failed", f"{one.calls}, {one.failed}", f"{two.calls}, {two.failed}", ""),
        ]
        return "\n".join((*(f"  {name:<44}{left:>14}{right:>14}{ratio:>11}" for name, left, right, ratio in rows), NOTE))

    def _time_rows(self, measure: Measure) -> Iterator[tuple[str, str, str, str]]:
        one, two = self.dialplan, self.attendant
        for share in QUANTILES:
            left, right = (f"{side.milliseconds(measure, share):.1f}" for side in (one, two))
            yield f"{NAMES[measure]}, p{100 * share:g} (ms)", left, right, f"{self.time_ratio(measure, share):.2f}"
        yield "  keys measured", f"{len(one.times[measure])}", f"{len(two.times[measure])}", ""

    def data(self) -> dict[str, object]:
        """For the JSON file."""
        return {
            "dialplan": self.dialplan.data(),
            "attendant": self.attendant.data(),
            "cpu_ratio": self.cpu_ratio,
            "cpu_ratio_by_round": self.cpu_ratios,
            "times_ratio": {measure: _by_quantile(functools.partial(self.time_ratio, measure)) for measure in Measure},
            "times_names": NAMES,
            "calls_placed": self.placed,
            "calls_stored": self.stored,
            "calls_stored_with_their_path": self.stored_whole,
            "memory_mb": {"asterisk": self.asterisk_megabytes, "controller": self.controller_megabytes},
            "targets": [{"target": target, "met": met} for target, met in self.targets()],
        }


def _by_quantile(figure: Callable[[float], float]) -> dict[str, float]:
    return {f"p{100 * share:g}": figure(share) for share in QUANTILES}


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else math.nan
