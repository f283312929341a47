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


def test_another_log_says_nothing_of_versions() -> None:
    assert versions.mismatch("pg", "FATAL:  password authentication failed") is None
