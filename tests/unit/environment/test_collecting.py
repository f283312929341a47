from __future__ import annotations

import gc

import pytest

from invoke_stack.environment.collecting import put_off


@put_off()
def broken() -> None:
    assert not gc.isenabled()
    raise KeyError


def test_the_search_for_circles_goes_on_afterwards_also_after_an_error() -> None:
    with pytest.raises(KeyError):
        broken()

    assert gc.isenabled()


def test_where_it_was_off_it_stays_off() -> None:
    gc.disable()
    try:
        with put_off():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
