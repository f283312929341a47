from __future__ import annotations

import pytest

from invoke_stack import sizes


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (-1, "-"),
        (0, "0.0 KiB"),
        (1536, "1.5 KiB"),
        (1024**2, "1.0 MiB"),
        (3 * 1024**3, "3.0 GiB"),
        (5 * 1024**5, "5120.0 TiB"),
    ],
)
def test_a_size_is_shown_in_the_unit_that_fits(number: int, text: str) -> None:
    assert sizes.shown(number) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0B", 0),
        ("500MB", 500_000_000),
        ("1.5 GiB", 1_610_612_736),
        ("18.4MiB", 19_293_798),
        ("1.2kB", 1200),
        ("700", 700),
        ("2g", 2_000_000_000),
        ("512mib", 512 * 1024**2),
        ("5iB", None),
        ("much", None),
        ("", None),
        ("-5MB", None),
    ],
)
def test_a_size_is_read_in_thousands_or_in_1024s(text: str, number: int | None) -> None:
    assert sizes.parse(text) == number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (353_000_000, "353 MB"),
        (999_600_000, "1 GB"),
        (-2_500_000, "-2.5 MB"),
        (2_340_000_000_000, "2.34 TB"),
        (2_340_000_000_000_000, "2340 TB"),
    ],
)
def test_an_images_size_is_shown_as_docker_shows_it(number: int, text: str) -> None:
    assert sizes.decimal(number) == text
