from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.engines.endpoint import Endpoint, find, from_context
from invoke_stack.errors import ExitCode, UnreachableError
from invoke_stack.project import Project

MakeProject = Callable[..., Project]


def context(host: str, **more: Any) -> dict[str, Any]:
    """Return one entry of `docker context inspect`."""
    return {
        "Name": "build-box",
        "Metadata": {},
        "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False, **more}},
        "TLSMaterial": {},
        "Storage": {"MetadataPath": "<IN MEMORY>", "TLSPath": "<IN MEMORY>"},
    }


def test_a_context_gives_its_endpoint() -> None:
    assert from_context(context("unix:///run/user/1000/docker.sock")) == Endpoint(
        "unix:///run/user/1000/docker.sock", "build-box"
    )


def test_a_context_with_certificates_gives_their_folder(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    document = context("tcp://box:2376") | {"Storage": {"TLSPath": str(tmp_path)}}

    assert from_context(document) == Endpoint("tcp://box:2376", "build-box", tmp_path / "docker")


def test_a_context_may_switch_the_check_of_the_certificate_off() -> None:
    assert from_context(context("tcp://box:2376", SkipTLSVerify=True)).verify is False


def test_a_context_without_anything_is_the_default_socket() -> None:
    assert from_context({}) == Endpoint("unix:///var/run/docker.sock")


@pytest.mark.parametrize(
    ("url", "local", "host"),
    [
        ("unix:///var/run/docker.sock", True, "localhost"),
        ("npipe:////./pipe/docker_engine", True, "localhost"),
        ("tcp://192.0.2.7:2376", False, "192.0.2.7"),
        ("tcp://[2001:db8::7]:2376", False, "2001:db8::7"),
        ("ssh://me@box", False, "box"),
    ],
)
def test_ports_are_reached_where_the_engine_is(url: str, local: bool, host: str) -> None:  # noqa: FBT001
    assert (Endpoint(url).local, Endpoint(url).host) == (local, host)


def test_the_variable_of_docker_decides_before_any_context(make_project: MakeProject) -> None:
    project = make_project(environ={"DOCKER_HOST": "tcp://box:2375"})

    assert find(project) == Endpoint("tcp://box:2375")
    assert project.runner.ran == []


def test_the_certificates_of_the_environment_are_used_when_they_are_asked_for(
    make_project: MakeProject, tmp_path: Path
) -> None:
    environ = {"DOCKER_HOST": "tcp://box:2376", "DOCKER_CERT_PATH": str(tmp_path)}

    assert find(make_project(environ=environ)).tls is None
    assert find(make_project(environ={**environ, "DOCKER_TLS_VERIFY": "1"})).tls == tmp_path


def test_certificates_lie_in_the_users_docker_folder_by_default(make_project: MakeProject) -> None:
    environ = {"DOCKER_HOST": "tcp://box:2376", "DOCKER_TLS_VERIFY": "1"}

    assert find(make_project(environ={**environ, "DOCKER_CONFIG": "/cfg"})).tls == Path("/cfg")
    at_home = {**environ, "HOME": "/home/ann"}
    assert find(make_project(environ=at_home)).tls == Path("/home/ann/.docker")


def test_otherwise_the_cli_is_asked_for_its_context(make_project: MakeProject, runner: Any) -> None:
    runner.answer("docker context inspect", json.dumps([context("ssh://me@box")]))

    assert find(make_project()) == Endpoint("ssh://me@box", "build-box")


def test_a_context_that_does_not_exist_is_named(make_project: MakeProject, runner: Any) -> None:
    runner.answer("docker context inspect", stderr='context "nope": context not found\n', code=1)

    with pytest.raises(UnreachableError) as caught:
        find(make_project())

    assert str(caught.value) == 'docker context: context "nope": context not found'
    assert "docker context ls" in caught.value.hint
    assert caught.value.code == ExitCode.UNREACHABLE


def test_a_cli_that_fails_without_a_word_is_still_an_error(
    make_project: MakeProject, runner: Any
) -> None:
    runner.answer("docker context inspect", code=1)

    with pytest.raises(UnreachableError, match="cannot be read"):
        find(make_project())


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "[3]", "not json"])
def test_a_description_that_is_not_readable_is_no_bug_of_ours(
    make_project: MakeProject, runner: Any, text: str
) -> None:
    runner.answer("context inspect", text)

    with pytest.raises(UnreachableError) as caught:
        find(make_project())

    assert str(caught.value) == "docker context: its description is not readable"


def test_a_password_in_docker_host_is_a_secret(make_project: MakeProject) -> None:
    host = "tcp://me:hunter2-hunter2@box:2375"  # a password for this test alone
    project = make_project(environ={"DOCKER_HOST": host})

    find(project)

    assert "hunter2" not in project.secrets.hide(f"no engine answers at {host}")
