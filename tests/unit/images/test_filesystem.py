from __future__ import annotations

import pytest

from invoke_stack.images import filesystem
from invoke_stack.images.filesystem import Files
from invoke_stack.images.tar import Member


def member(name: str, kind: str = "0", mode: int = 0o755, link: str = "") -> Member:
    return Member(name, kind, 1, mode, link)


def merged(*layers: list[Member]) -> Files:
    return filesystem.merged([{filesystem.path_of(each): each for each in one} for one in layers])


def test_a_later_layer_hides_what_it_deletes() -> None:
    files = merged(
        [member("app", "5"), member("app/a"), member("app/sub/b"), member("app/other")],
        [member("app/.wh.a"), member("app/.wh.sub")],
    )

    assert sorted(files) == ["/app", "/app/other"]


def test_what_the_deleting_layer_puts_there_stays() -> None:
    files = merged(
        [member("app", "5"), member("app/sub", "5"), member("app/sub/old")],
        [member("app/.wh.sub"), member("app/sub", "5"), member("app/sub/new")],
    )

    assert sorted(files) == ["/app", "/app/sub", "/app/sub/new"]


def test_an_opaque_folder_keeps_only_what_its_own_layer_has() -> None:
    files = merged(
        [member("app", "5"), member("app/old")],
        [member("app", "5"), member("app/.wh..wh..opq"), member("app/new")],
    )

    assert sorted(files) == ["/app", "/app/new"]


def test_a_file_in_place_of_a_folder_hides_what_was_in_it() -> None:
    files = merged([member("x", "5"), member("x/a")], [member("x", "2", link="/y")])

    assert sorted(files) == ["/x"]


def test_links_are_followed_also_in_the_middle_of_a_path() -> None:
    files = merged(
        [
            member("bin", "2", link="usr/bin"),
            member("usr/bin/busybox"),
            member("usr/bin/wget", "2", link="/bin/busybox"),
            member("loop", "2", link="loop"),
        ]
    )

    assert files.resolve("/bin/wget") == "/usr/bin/busybox"
    assert "/bin/busybox" in files
    assert "/loop" not in files
    assert "/bin/curl" not in files


def test_a_hard_link_is_the_file_that_it_names() -> None:
    files = merged([member("a", mode=0o755)], [member("b", "1", 0, "a")])
    entry = files.entry("/b")

    assert entry is not None
    assert (entry.kind, entry.mode, entry.layer) == ("0", 0o755, 1)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("node", "/usr/local/bin/node"),
        ("curl", None),
        ("./start.sh", "/app/start.sh"),
        ("/app/start.sh", "/app/start.sh"),
        ("readme", None),
    ],
)
def test_programs_are_found_by_path_and_have_to_be_executable(name: str, found: str | None) -> None:
    files = merged(
        [
            member("usr/local/bin/node"),
            member("app/start.sh"),
            member("usr/bin/readme", mode=0o644),
            member("usr/bin/curl", "5"),
        ]
    )

    assert files.program(name, "", "/app") == found
    assert files.program("node", "/opt") is None
