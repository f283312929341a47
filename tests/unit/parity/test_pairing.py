from __future__ import annotations

import pytest

from invoke_stack.errors import UsageError
from invoke_stack.parity.declaration import Build, Datastore, Declaration, Process
from invoke_stack.parity.naming import same_name
from invoke_stack.parity.pairing import Pairing, pair
from invoke_stack.parity.parts import EnvVar
from invoke_stack.parity.values import ABSENT, Src, Val, version

HERE = Src("f", 1)


def process(name: str, role: str = "web", **more: object) -> Process:
    return Process(name, role, Val("docker", HERE), HERE, **more)  # type: ignore[arg-type]


def built(dockerfile: str, context: str = ".") -> Build:
    return Build(Val(context, HERE), Val(dockerfile, HERE))


def store(name: str, kind: str = "postgres", *keys: str) -> Datastore:
    refs = tuple(("x", key) for key in keys)
    return Datastore(kind, name, kind, Val(version("16"), HERE), HERE, referenced=refs)  # type: ignore[arg-type]


def side(name: str, *each: Process | Datastore) -> Declaration:
    return Declaration(
        name,  # type: ignore[arg-type]
        "test",
        processes={it.name: it for it in each if isinstance(it, Process)},
        datastores={it.name: it for it in each if isinstance(it, Datastore)},
    )


def paired(ours: Declaration, theirs: Declaration, **chosen: str) -> Pairing:
    return pair(ours, theirs, chosen)


def names(found: Pairing) -> list[tuple[str, str, str]]:
    return [(each.production.name, each.local.name, each.reason) for each in found.processes]


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        ("web", "web", 4),
        ("shop-web", "web", 3),
        ("shop-api-prod", "api", 3),
        ("api", "backend", 2),
        ("shop-web", "shop-worker", 0),
        ("web", "db", 0),
        ("shop", "shop-app", 2),
        ("Web", "web", 4),
    ],
)
def test_how_much_two_names_are_the_same(one: str, other: str, score: int) -> None:
    assert same_name(one, other) == same_name(other, one) == score


def test_the_same_build_is_the_same_process_whatever_its_name() -> None:
    ours = side("production", process("alpha", build=built("a/Dockerfile", "a")))
    theirs = side(
        "local",
        process("beta", build=built("b/Dockerfile", "b")),
        process("gamma", build=built("a/Dockerfile", "a")),
    )

    assert names(paired(ours, theirs)) == [("alpha", "gamma", "build")]


def test_of_one_build_the_worker_goes_with_the_worker() -> None:
    build = built("Dockerfile")
    ours = side(
        "production", process("shop-web", build=build), process("shop-jobs", "worker", build=build)
    )
    theirs = side("local", process("worker", "worker", build=build), process("web", build=build))

    assert names(paired(ours, theirs)) == [
        ("shop-web", "web", "build"),
        ("shop-jobs", "worker", "build"),
    ]


def test_the_same_image_in_another_version_is_the_same_process() -> None:
    ours = side("production", process("a", image=Val("acme/app:1", HERE)))
    theirs = side("local", process("b", image=Val("docker.io/acme/app:2", HERE)))

    assert names(paired(ours, theirs)) == [("a", "b", "image")]


def test_the_only_web_service_of_each_side_is_the_same() -> None:
    found = paired(side("production", process("x")), side("local", process("y", build=built("D"))))

    assert names(found) == [("x", "y", "only web")]


def test_a_setting_decides() -> None:
    ours = side("production", process("api"))
    theirs = side("local", process("api"), process("other"))

    assert names(paired(ours, theirs, api="other")) == [("api", "other", "map")]


def test_a_setting_that_names_nothing_lists_what_there_is() -> None:
    with pytest.raises(UsageError) as caught:
        paired(side("production", process("api")), side("local", process("web")), api="wep")

    assert str(caught.value) == "stack.parity.map: no local service of the name wep"
    assert caught.value.hint == "there are: web"


def test_who_fits_two_is_paired_with_none_and_the_line_to_write_is_there() -> None:
    build = built("Dockerfile")
    ours = side("production", process("shop", build=build))
    theirs = side("local", process("one", build=build), process("two", build=build))

    found = paired(ours, theirs)

    assert names(found) == []
    assert [(each.candidates, each.line) for each in found.unsure] == [
        (("one", "two"), "map: {shop: one}")
    ]
    assert found.only_production == found.only_local == ()


def test_dev_tools_and_profiles_are_neither_paired_nor_missed() -> None:
    ours = side("production", process("web"))
    theirs = side("local", process("web", dev_tool=True), process("tools", profiles=("tools",)))

    found = paired(ours, theirs)

    assert names(found) == []
    assert [each.name for each in found.only_production] == ["web"]
    assert found.only_local == ()


def test_a_profile_of_the_same_name_and_build_is_paired_all_the_same() -> None:
    build = built("Dockerfile")
    ours = side("production", process("admin", "worker", build=build))
    theirs = side("local", process("admin", "worker", build=build, profiles=("admin",)))

    assert names(paired(ours, theirs)) == [("admin", "admin", "build")]


def test_jobs_are_not_missed_in_production() -> None:
    theirs = side("local", process("web"), process("migrate", "job", job=True))

    found = paired(side("production", process("web")), theirs)

    assert found.only_local == ()


def test_datastores_pair_by_kind_and_then_by_who_refers_to_them() -> None:
    ours = side(
        "production",
        store("main", "postgres", "DATABASE_URL"),
        store("metrics", "postgres", "METRICS_URL"),
        store("cache", "keyvalue"),
    )
    theirs = side(
        "local",
        store("pg2", "postgres", "METRICS_URL"),
        store("pg1", "postgres", "DATABASE_URL"),
        store("mongo", "mongo"),
    )

    found = paired(ours, theirs)

    assert {(each.production.name, each.local.name) for each in found.datastores} == {
        ("main", "pg1"),
        ("metrics", "pg2"),
    }
    assert [each.name for each in found.stores_only_production] == ["cache"]
    assert [each.name for each in found.stores_only_local] == ["mongo"]


def test_the_order_of_the_services_changes_nothing() -> None:
    ours = [process(f"shop-{name}") for name in ("web", "api", "docs")]
    theirs = [process(name) for name in ("docs", "web", "backend")]

    one = paired(side("production", *ours), side("local", *theirs))
    other = paired(side("production", *ours[::-1]), side("local", *theirs[::-1]))

    assert (
        set(names(one))
        == set(names(other))
        == {
            ("shop-web", "web", "name"),
            ("shop-api", "backend", "name"),
            ("shop-docs", "docs", "name"),
        }
    )


def test_a_thousand_services_are_paired_without_comparing_each_with_each() -> None:
    ours = side(
        "production",
        *(process(f"svc-{n}", build=built(f"s{n}/Dockerfile", f"s{n}")) for n in range(1000)),
    )
    theirs = side(
        "local",
        *(process(f"svc-{n}", build=built(f"s{n}/Dockerfile", f"s{n}")) for n in range(1000)),
    )

    found = paired(ours, theirs)

    assert len(found.processes) == 1000
    assert all(each.production.name == each.local.name for each in found.processes)


def test_absent_values_are_no_common_ground() -> None:
    ours = side(
        "production", process("a", "worker", image=ABSENT, env={"K": EnvVar("K", "literal", HERE)})
    )

    assert names(paired(ours, side("local", process("b", "worker", image=ABSENT)))) == []
