import pytest

from invoke_stack.database.upgrading import images, volumes
from invoke_stack.errors import StackError


@pytest.mark.parametrize(
    ("image", "likely"),
    [
        ("postgres:17", ("postgres:16", "postgres:16-alpine")),
        ("postgres:17.2-alpine", ("postgres:16-alpine", "postgres:16")),
        ("pgvector/pgvector:pg17", ("pgvector/pgvector:pg16", "pgvector/pgvector:16")),
        ("postgis/postgis:17-3.5", ("postgis/postgis:16-3.5", "postgis/postgis:16")),
        ("postgres", ("postgres:16", "postgres:16-alpine")),
        ("host:5000/pg", ("host:5000/pg:16", "host:5000/pg:16-alpine")),
        ("postgres:17@sha256:0017", ("postgres:16", "postgres:16-alpine")),
    ],
)
def test_the_old_image_is_called_as_the_new_one(image: str, likely: tuple[str, str]) -> None:
    assert images.likely(image, "16", "17")[:2] == likely


@pytest.mark.parametrize(
    ("free", "engine", "shared", "short"),
    [
        (33, 33, True, ""),
        (32, 32, True, "needs 33 MiB of the engine's disk, which has 32 MiB free"),
        (11, 22, False, ""),
        (10, 22, False, "needs 11 MiB of the volume's disk, which has 10 MiB free"),
        (11, 21, False, "needs 22 MiB of the engine's disk, which has 21 MiB free"),
        (-1, -1, True, ""),
    ],
)
def test_there_has_to_be_room_for_three_copies(
    free: int, engine: int, *, shared: bool, short: str
) -> None:
    mib = 1 << 20
    volume = volumes.Volume("v", used=10 * mib, free=free * mib, engine=engine * mib, shared=shared)

    if not short:
        volumes.require_room(volume)
        return
    with pytest.raises(StackError, match=short):
        volumes.require_room(volume)
