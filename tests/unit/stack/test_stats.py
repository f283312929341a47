from __future__ import annotations

import json
from typing import Any

from invoke_stack.engines import containers
from invoke_stack.stack import stats

ROW = {
    "BlockIO": "1.5MB / 0B",
    "CPUPerc": "150.25%",
    "Container": "abc",
    "ID": "abc",
    "MemUsage": "18.4MiB / 2GiB",
    "Name": "shop-web-1",
    "NetIO": "1.2kB / 700B",
    "PIDs": "6",
}


def read(*rows: Any) -> list[stats.Usage]:
    labels = {containers.SERVICE: "web"}
    document = {"Id": "abc", "Name": "/shop-web-1", "Config": {"Labels": labels}}
    found = [containers.from_inspect(document)]
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    return list(stats.read(text, found))


def test_containers_are_measured_once_and_in_json() -> None:
    command = stats.command(["abc", "def"])

    assert command.argv == (
        *("docker", "stats", "--no-stream", "--no-trunc", "--format", "{{json .}}"),
        *("abc", "def"),
    )
    assert command.effect == "read"


def test_sizes_are_bytes_and_a_core_is_a_hundred_percent() -> None:
    assert read(ROW) == [
        stats.Usage(
            service="web",
            container="shop-web-1",
            cpu=150.25,
            memory=19_293_798,
            limit=2 * 1024**3,
            received=1200,
            sent=700,
            read=1_500_000,
            written=0,
            processes=6,
        )
    ]


def test_what_is_not_measured_is_nought_and_other_words_are_left_out() -> None:
    gone = {**ROW, "CPUPerc": "--", "MemUsage": "-- / --", "NetIO": "--", "PIDs": "--"}
    found = read("WARNING: no cgroup v2", {**ROW, "ID": "other"}, gone)

    assert [(each.cpu, each.memory, each.limit, each.sent, each.processes) for each in found] == [
        (0.0, 0, 0, 0, 0)
    ]
