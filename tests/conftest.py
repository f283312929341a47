"""What many tests share: a runner that starts nothing, and factories for plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import pytest

from invoke_stack import modes
from invoke_stack.compose import model
from invoke_stack.compose.files import ComposeFiles
from invoke_stack.engines.containers import Binding, Container
from invoke_stack.environment.declared import Declared
from invoke_stack.environment.values import ResolvedEnv, Value
from invoke_stack.process import Command, Completed
from invoke_stack.project import Project
from invoke_stack.settings import Source, load


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep together what shares costly things, where several workers run the tests.

    The tests of a file share its stack, those with Prisma also what npm installed.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Sharing(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = PurePath(nodeid.partition("::")[0])
            return str(path.parent if path.parent.name == "prisma" else path)

    return Sharing(config, log)


@dataclass
class FakeRunning:
    """A program that has written its lines and then ends with a code."""

    lines: tuple[str, ...] = ()
    code: int | None = 0
    _unread: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._unread = list(self.lines)

    @property
    def tail(self) -> tuple[str, ...]:
        return self.lines

    def fresh(self) -> Iterator[str]:
        while self._unread:
            yield self._unread.pop(0)

    def poll(self) -> int | None:
        return self.code

    def wait(self, timeout_s: float | None = None) -> int:
        if self.code is None:
            raise TimeoutError
        return self.code


class FakeRunner:
    """Answers from a script, records what would change something, starts nothing.

    A read that nobody scripted fails the test; a write that nobody scripted succeeds.
    """

    def __init__(self, *, dry: bool = False) -> None:
        self.dry = dry
        self.ran: list[Command] = []
        self._answers: list[tuple[str, Completed]] = []

    def answer(self, words: str, stdout: str = "", *, stderr: str = "", code: int = 0) -> None:
        """Answer every command line that contains ``words``; the first match counts."""
        self._answers.append((words, Completed(Command(()), code, stdout, stderr)))

    @property
    def written(self) -> list[str]:
        """The command lines that would have changed something."""
        return [str(each) for each in self.ran if each.effect == "write"]

    def capture(
        self,
        command: Command,
        *,
        timeout_s: float | None = None,
        stdin: bytes | None = None,
    ) -> Completed:
        found = self._find(command)
        return Completed(command, found.code, found.stdout, found.stderr)

    @contextmanager
    def beside(
        self,
        command: Command,
        *,
        timeout_s: float | None = None,
        stdin: bytes | None = None,
    ) -> Iterator[Callable[[], Completed]]:
        done = self.capture(command, timeout_s=timeout_s, stdin=stdin)
        yield lambda: done

    def attach(self, command: Command) -> int:
        return self._find(command).code

    @contextmanager
    def start(
        self,
        command: Command,
        *,
        binary: bool = False,
        stdin: Path | None = None,
    ) -> Iterator[FakeRunning]:
        found = self._find(command)
        yield FakeRunning(tuple(found.stdout.splitlines()), found.code)

    def _find(self, command: Command) -> Completed:
        self.ran.append(command)
        for words, completed in self._answers:
            if words in str(command):
                return completed
        assert command.effect == "write", f"nobody scripted the read: {command}"
        return Completed(command, 0)


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
def make_project(tmp_path: Path, runner: FakeRunner) -> Callable[..., Project]:
    """Return a project in the test's own folder."""

    def make(
        settings: Mapping[str, Any] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        mode: str = "",
        overrides: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Project:
        for name, text in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return Project(
            root=tmp_path,
            settings=load([Source("invoke.yaml", settings or {})]),
            runner=runner,
            environ=environ or {},
            mode_flag=mode,
            overrides=overrides or {},
        )

    return make


@pytest.fixture
def declare(tmp_path: Path) -> Callable[..., Declared]:
    """Return a stack as Compose's JSON declares it, without reading any file."""

    def declare(
        services: Mapping[str, Any],
        *,
        mode: str = "dev",
        name: str = "shop",
        files: tuple[str, ...] = ("compose.yaml",),
        profiles: tuple[str, ...] = (),
        missing: tuple[Any, ...] = (),
        undefined: tuple[Any, ...] = (),
        port_variables: Mapping[tuple[str, int], str] | None = None,
        env: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        layers: tuple[str, ...] = (),
    ) -> Declared:
        values = {key: Value(key, text, "file", ".env", 1) for key, text in (env or {}).items()}
        return Declared(
            mode=modes.find(mode),
            files=ComposeFiles(tuple(tmp_path / each for each in files), "found by name", mode),
            env=ResolvedEnv(mode, layers, values),
            environ=environ or env or {},
            model=model.parse({"name": name, "services": services}),
            profiles=profiles,
            missing=missing,
            undefined=undefined,
            port_variables=port_variables or {},
        )

    return declare


@pytest.fixture
def make_container() -> Callable[..., Container]:
    """Return a running container of the service `web`, changed as asked."""

    def make(service: str = "web", **changes: Any) -> Container:
        values: dict[str, Any] = {
            "id": f"{service}-id",
            "name": f"shop-{service}-1",
            "project": "shop",
            "service": service,
            "folder": "",
            "image": "shop-web",
            "state": "running",
            "health": "",
            "exit_code": 0,
            "error": "",
            "restarts": 0,
            "started_at": 1000.0,
            "oneoff": False,
            "mode": "",
            "bindings": (),
            "health_log": (),
            "check": None,
        }
        return Container(**(values | changes))

    return make


@pytest.fixture
def bind() -> Callable[..., Binding]:
    """Return a published port of a container."""

    def bind(published: int, target: int = 3000, protocol: str = "tcp", host: str = "") -> Binding:
        return Binding(target, published, protocol, host)

    return bind
