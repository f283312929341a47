import pytest

from invoke_stack.database import versions

LOG = """2026-11-21 10:00:00.000 UTC [1] FATAL:  database files are incompatible with server
2026-11-21 10:00:00.000 UTC [1] DETAIL:  The data directory was initialized by PostgreSQL \
version 16, which is not compatible with this version {new}.
"""


@pytest.mark.parametrize(
    ("new", "shown"),
    [("17.11 (Debian 17.11-0+deb13u1)", "17.11"), ("18beta1", "18"), ("9.6", "9.6")],
)
def test_a_volume_of_another_version_is_recognised_in_the_log(new: str, shown: str) -> None:
    problem = versions.mismatch("pg", LOG.format(new=new))

    assert problem is not None
    assert problem.message.endswith(f"made by PostgreSQL 16 and its image is PostgreSQL {shown}")
    assert "PostgreSQL 16 again" in problem.hint
    assert len(problem.detail) == 2


def test_the_way_on_depends_on_which_is_newer() -> None:
    up = versions.mismatch("pg", LOG.format(new="17.2"))
    down = versions.mismatch("pg", LOG.format(new="15.8"))

    assert up is not None
    assert "inv db.upgrade, or set" in up.hint
    assert down is not None
    assert down.hint.endswith("inv db.upgrade --undo")


@pytest.mark.parametrize(
    ("place", "way"),
    [
        ("/var/lib/postgresql", "nothing is lost: inv db.upgrade"),
        ("/var/lib/postgresql/data (unused mount/volume)", "mount the volume at /var/lib/postgre"),
    ],
)
def test_images_from_18_on_want_another_layout(place: str, way: str) -> None:
    log = f"Error: in 18+, these Docker images are configured ...\n  data in:\n   {place}\n"

    problem = versions.mismatch("pg", log)

    assert problem is not None
    assert problem.hint.startswith(way)


def test_another_log_says_nothing_of_versions() -> None:
    assert versions.mismatch("pg", "FATAL:  password authentication failed") is None
