"""The stack's cache without a server: whom to connect as, what it says, what is asked."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from invoke_stack.cache import flush, info, shell, target
from invoke_stack.cache.info import Keys
from invoke_stack.cache.target import Cache, Login
from invoke_stack.compose.model import Model, Service
from invoke_stack.compose.ports import Port
from invoke_stack.engines import containers
from invoke_stack.environment.values import Value
from invoke_stack.errors import RefusedError, StackError, UnreachableError, UsageError
from invoke_stack.process import Command
from invoke_stack.project import Project
from invoke_stack.settings import load

CACHE = Cache("cache", "id-cache", "redis-cli", Login(password="canary-pw"))
INFO = """# Server
redis_version:7.0.15
uptime_in_seconds:12

# Clients
connected_clients:2
# Memory
used_memory:2097152
maxmemory:4194304
maxmemory_policy:allkeys-lru
# Persistence
aof_enabled:1
rdb_last_bgsave_status:ok
# Stats
keyspace_hits:5
keyspace_misses:6
evicted_keys:7
# Errorstats
errorstat_NOAUTH:count=3
# Keyspace
db10:keys=2,expires=1,avg_ttl=5
db0:keys=1234,expires=0,avg_ttl=0
save
3600 1 300 100
"""


class Engine:
    """The part of an engine that cache tasks ask; with a folder the programs are here."""

    folder: Path | None = None

    def __init__(self, *started: str, state: str = "running", **environment: str) -> None:
        self.started, self.state, self.env = started, state, environment

    def containers(self, _project: str) -> tuple[Any, ...]:
        labels = {containers.PROJECT: "shop", containers.SERVICE: "cache"}
        document = {"Id": "id-cache", "Config": {"Labels": labels}, "State": {"Status": self.state}}
        return (containers.from_inspect(document),)

    def environment(self, _container: str) -> dict[str, str]:
        return self.env

    def command(self, _container: str) -> tuple[str, ...]:
        return self.started

    @property
    def name(self) -> str:
        return "docker" if self.folder is None else "embedded"

    def programs(self, _container: str) -> Path | None:
        return self.folder

    def address(self, _container: str) -> dict[str, str]:
        return {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "6380"}


def stack(image: str = "redis:7-alpine", /, **values: str) -> Any:
    ports = (Port("cache", 6379, 6380, host="127.0.0.1"),)
    services = {"cache": Service("cache", image=image, ports=ports), "web": Service("web")}
    if not image:
        services.pop("cache")
    env = SimpleNamespace(values={key: Value(key, text, "file") for key, text in values.items()})
    return SimpleNamespace(
        name="shop", model=Model("shop", services), env=env, active=lambda: services
    )


@pytest.fixture
def site(tmp_path: Any, runner: Any) -> Project:
    return Project(tmp_path, load([]), runner, {})


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        (Engine("redis-server"), ""),
        (Engine("redis-server", "--requirepass", "canary"), "canary"),
        (Engine("sh", "-c", 'redis-server --requirepass "$P"', P="canary"), "canary"),
        (Engine("sh", "-c", "exec redis-server --requirepass ${P:?unset}", P="canary"), "canary"),
        (Engine("redis-server", REDIS_PASSWORD="canary"), "canary"),
        (Engine("valkey-server", VALKEY_PASSWORD="canary"), "canary"),
        (Engine("/entrypoint.sh", REDIS_ARGS="--requirepass canary --x"), "canary"),
        (Engine("sh", "-c", "unclosed ' quote"), ""),
    ],
)
def test_the_password_is_that_of_the_container(site: Project, engine: Any, expected: str) -> None:
    found = target.find(site, stack(), engine)

    assert found.login.password == expected
    assert "canary" not in repr(found)
    assert "canary" not in site.secrets.hide(f"it is {expected}")


def test_else_it_is_that_of_the_url_that_leads_there(site: Project) -> None:
    declared = stack(FAR="redis://:no@far:6379", NEAR="redis://me:ca%2Fnary@localhost:6380/2")

    assert target.find(site, declared, Engine()).login == Login("me", "ca/nary")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("image", "client"),
    [("valkey/valkey:8", "valkey-cli"), ("redis/redis-stack:7", "redis-cli")],
)
def test_the_client_is_that_of_the_image(site: Project, image: str, client: str) -> None:
    assert target.find(site, stack(image), Engine()).client == client  # type: ignore[arg-type]


def test_a_cache_that_does_not_run_is_unreachable(site: Project) -> None:
    with pytest.raises(UnreachableError, match=r"service cache: is not running \(exited\)"):
        target.find(site, stack(), Engine(state="exited"))  # type: ignore[arg-type]


def test_the_password_is_no_argument() -> None:
    call = CACHE.inside(("GET", "a b"), db=3, fed=True)

    assert call == Command(
        (
            *("docker", "exec", "--interactive", "--env", "REDISCLI_AUTH", "id-cache"),
            *("redis-cli", "-n", "3", "GET", "a b"),
        ),
        {"REDISCLI_AUTH": "canary-pw"},
    )
    assert Cache("c", "i", "redis-cli", Login("me")).inside(read=True) == Command(
        ("docker", "exec", "i", "redis-cli", "--user", "me"), effect="read"
    )


@pytest.mark.parametrize(
    ("words", "terminal", "major", "end"),
    [
        (("PING",), True, 7, ("--interactive", "redis-cli", "-e", "PING")),
        (("PING",), False, 6, ("--interactive", "redis-cli", "PING")),
        ((), False, 7, ("--interactive", "redis-cli", "-e")),
        ((), True, 7, ("--tty", "--interactive", "redis-cli")),
    ],
)
def test_the_shell_is_for_a_person_or_for_one_command(
    words: tuple[str, ...],
    terminal: bool,  # noqa: FBT001
    major: int,
    end: tuple[str, ...],
) -> None:
    call = shell.command(CACHE, words, db=0, terminal=terminal, major=major)
    ours = ("docker", "exec", "--env", "REDISCLI_AUTH", "id-cache")

    assert tuple(word for word in call.argv if word not in ours) == end
    assert call.interactive == (terminal and not words)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_number_that_the_cache_does_not_have_reaches_no_other_database(
    site: Project,
    runner: Any,
    terminal: bool,  # noqa: FBT001
) -> None:
    # The client says that it could not select it, and then goes on in database 0.
    runner.answer("redis-cli", "ERR DB index is out of range\n")

    with pytest.raises(UsageError, match="no database 99"):
        shell.run(site, CACHE, ("FLUSHDB",), db=99, terminal=terminal)
    with pytest.raises(UsageError, match="no database -1"):
        shell.run(site, CACHE, ("FLUSHDB",), db=-1, terminal=terminal)
    assert runner.written == []


def test_what_the_cache_says_is_read() -> None:
    found = info.read(INFO)

    assert (found.name, found.version, found.uptime_s) == ("redis", "7.0.15", 12)
    assert (found.memory, found.limit, found.policy) == (2097152, 4194304, "allkeys-lru")
    assert (found.clients, found.hits, found.misses, found.evicted) == (2, 5, 6, 7)
    assert (found.aof, found.rdb, found.saved) == (True, "3600 1 300 100", True)
    assert found.databases == {0: Keys(1234, 0), 10: Keys(2, 1)}
    assert list(found.mapping()["databases"]) == ["0", "10"]
    assert found.mapping()["keys"] == 1236
    assert found.persistence == "every write (AOF) and snapshots"


@pytest.mark.parametrize(
    ("text", "name", "persistence"),
    [
        ("redis_version:7.2.4\r\nvalkey_version:8.0.1\r\nsave\r\n\r\n", "valkey", "nothing"),
        ("redis_version:7.4.0\ndragonfly_version:df-v1.2\n", "dragonfly", "unknown"),
        ("", "redis", "unknown"),
        (
            "rdb_last_bgsave_status:err\nsave\n60 1\n",
            "redis",
            "snapshots; the last snapshot FAILED",
        ),
    ],
)
def test_relatives_and_gaps_are_read(text: str, name: str, persistence: str) -> None:
    found = info.read(text)

    assert (found.name, found.persistence) == (name, persistence)


def test_an_error_that_is_only_counted_is_none(site: Project, runner: Any) -> None:
    runner.answer("redis-cli", INFO)

    assert info.info(site, CACHE).keys == 1236


@pytest.mark.parametrize(
    ("out", "err", "code", "message"),
    [
        ("NOAUTH Authentication required.\n", "", 0, "does not let us in"),
        ("", "AUTH failed: WRONGPASS invalid\n", 1, "does not let us in"),
        ("", "Could not connect to Redis at 127.0.0.1:6379\n", 1, "does not answer"),
        ("LOADING Redis is loading the dataset\n", "", 0, "does not answer"),
    ],
)
def test_a_cache_that_is_closed_is_unreachable(
    site: Project, runner: Any, out: str, err: str, code: int, message: str
) -> None:
    runner.answer("redis-cli", out, stderr=err, code=code)

    with pytest.raises(UnreachableError, match=message):
        info.info(site, CACHE)


def test_a_service_without_the_client_is_told_with_the_setting(site: Project, runner: Any) -> None:
    runner.answer("redis-cli", "", stderr='exec: "redis-cli": executable file not found', code=126)

    with pytest.raises(UsageError, match="has no redis-cli") as caught:
        info.info(site, CACHE)
    assert "stack.cache.service" in caught.value.hint


class TestFlush:
    """What is asked, refused and run."""

    asked: list[str]

    @pytest.fixture(autouse=True)
    def _answers(self, runner: Any) -> None:
        self.asked = []
        runner.answer("FLUSH", "OK\n")
        runner.answer("redis-cli", INFO)

    def flush(self, site: Project, declared: Any, db: int = flush.ALL) -> flush.Flushed:
        return flush.flush(site, declared, Engine(), self.asked.append, db)  # type: ignore[arg-type]

    def test_the_question_counts_the_keys(self, site: Project, runner: Any) -> None:
        done = self.flush(site, stack())

        assert "".join(self.asked) == (
            "cache.flush removes 1,234 keys of db 0 and 2 keys of db 10, of all databases in "
            "service cache (redis 7.0.15)\n"
            "  kept: nothing; what the app keeps there (sessions, queues) goes too\n"
            "go on?"
        )
        assert runner.written == ["docker exec id-cache redis-cli FLUSHALL"]
        assert done.removed == {0: 1234, 10: 2}

    def test_one_database_can_be_meant(self, site: Project, runner: Any) -> None:
        assert self.flush(site, stack(), 10).removed == {10: 2}
        assert "removes 2 keys of db 10 in service cache" in self.asked[0]
        assert runner.written == ["docker exec id-cache redis-cli -n 10 FLUSHDB"]

    def test_an_empty_one_asks_nothing(self, site: Project, runner: Any) -> None:
        assert self.flush(site, stack(), 5).removed == {}
        assert (self.asked, runner.written) == ([], [])

    def test_a_no_changes_nothing(self, site: Project, runner: Any) -> None:
        def refuse(_question: str) -> None:
            raise RefusedError("confirmation", "no")

        with pytest.raises(RefusedError):
            flush.flush(site, stack(), Engine(), refuse)  # type: ignore[arg-type]
        assert runner.written == []

    @pytest.mark.parametrize(
        "url", ["redis://cache", "redis://localhost:6380/1", "redis://cache:6379"]
    )
    def test_a_url_that_leads_here_is_fine(self, site: Project, url: str) -> None:
        assert self.flush(site, stack(A_URL="redis://far:1", REDIS_URL=url)).removed

    @pytest.mark.parametrize("url", ["redis://:canary@far:6379", "rediss://localhost:6379"])
    def test_a_cache_that_is_not_the_stacks_is_refused(
        self, site: Project, runner: Any, url: str
    ) -> None:
        with pytest.raises(RefusedError, match="leads to another cache than service cache") as no:
            self.flush(site, stack(REDIS_URL=url))

        assert "canary" not in f"{no.value} {no.value.hint}"
        assert runner.ran == []

    def test_a_stack_without_a_cache_never_flushes_elsewhere(self, site: Project) -> None:
        with pytest.raises(RefusedError, match=r"far:6379.* is not a service of this stack"):
            self.flush(site, stack("", REDIS_URL="redis://far"))
        with pytest.raises(UsageError, match="no cache service"):
            self.flush(site, stack(""))

    def test_a_number_below_0_is_no_database(self, site: Project) -> None:
        with pytest.raises(UsageError, match="no database -2"):
            self.flush(site, stack(), -2)


def test_a_server_that_refuses_is_an_error(site: Project, runner: Any) -> None:
    runner.answer("FLUSH", "ERR unknown command 'FLUSHALL'\n")
    runner.answer("redis-cli", INFO)

    with pytest.raises(StackError, match="refused: ERR unknown command"):
        flush.flush(site, stack(), Engine(), lambda _: None)  # type: ignore[arg-type]


def test_without_docker_the_client_runs_here_and_the_password_is_no_argument(
    site: Project, tmp_path: Path
) -> None:
    engine = Engine("redis-server", "--requirepass", "canary-pw")
    engine.folder = tmp_path
    program = tmp_path / "redis-cli"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    # The image is Valkey's, the server that was found here is not.
    found = target.find(site, stack("valkey/valkey:8"), engine)  # type: ignore[arg-type]

    assert found.inside(("GET", "a"), db=3, fed=True) == Command(
        ("redis-cli", "-h", "127.0.0.1", "-p", "6380", "-n", "3", "GET", "a"),
        {"REDISCLI_AUTH": "canary-pw"},
        without=("REDISCLI_AUTH",),
        programs=tmp_path,
    )
    call = shell.command(found, (), db=0, terminal=True, major=7)
    assert (call.argv[0], call.interactive) == ("redis-cli", True)
