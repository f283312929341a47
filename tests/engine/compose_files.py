"""Compose files made up by Hypothesis, that the real Compose accepts."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = ("db", "web", "job")
KEYS = ("A", "B", "HERE", "EMPTY", "NOT_SET")
WORDS = ("x", "two words", "$A", "${A:-b}", "$$", "yes", "1", "a=b", "#", "'", '"', "ä")
PATHS = (".env", "./.env", "../up.env", "/etc/x.env", "sub/.env", "~/x.env", "${DIR:-a}/.env")
SHORT_PORTS = (
    "80", "8080:80", "8080:80/udp", "127.0.0.1:8080:80", "[::1]:8080:80", "8000-8002:80-82",
    "9-11:9-11", "3000-3005:80", "${PORT:-8080}:80", "${IP:-127.0.0.1}:8080:80", "8080:${IN:-80}",
)  # fmt: skip
SHORT_VOLUMES = (
    "data:/data", "other:/data", "./src:/app", "./src:/app:ro", "/abs:/abs:z", "~/x:/home/x",
    "/anonymous", "cache:/app/../cache/:nocopy", "${V:-data}:/var", "../up:/up:rw,rshared",
)  # fmt: skip

scalar = st.one_of(st.sampled_from(WORDS), st.integers(0, 99), st.booleans(), st.just(1.5))
pair = st.builds("{}={}".format, st.sampled_from(KEYS), st.sampled_from(WORDS))


def lists(of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    # Compose forgets an empty list and then refuses what is left of it.
    return st.lists(of, min_size=1, max_size=4, unique_by=repr)


def mappings(of: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(KEYS), of, min_size=1, max_size=4)


pairs = st.one_of(mappings(st.one_of(st.none(), scalar)), lists(pair | st.sampled_from(KEYS)))
long_port = st.fixed_dictionaries(
    {"target": st.sampled_from((80, 81))},
    optional={
        "published": st.sampled_from(("8080", "8081", 8080, "${PORT:-8080}")),
        "protocol": st.sampled_from(("tcp", "udp")),
        "host_ip": st.just("127.0.0.1"),
    },
)
long_volume = st.one_of(
    st.builds(lambda s, t: {"type": "volume", "source": s, "target": t},
              st.sampled_from(("data", "other")), st.sampled_from(("/data", "/app/"))),
    st.builds(lambda s, t: {"type": "bind", "source": s, "target": t},
              st.sampled_from(("./src", "/abs")), st.sampled_from(("/app", "/abs"))),
    st.just({"type": "tmpfs", "target": "/run"}),
)  # fmt: skip
needed = st.one_of(
    lists(st.sampled_from(NAMES)),
    st.dictionaries(
        st.sampled_from(NAMES),
        st.fixed_dictionaries(
            {"condition": st.sampled_from(("service_started", "service_healthy"))},
            optional={"required": st.booleans(), "restart": st.booleans()},
        ),
        min_size=1,
    ),
)
env_file = st.one_of(
    st.sampled_from(PATHS),
    lists(
        st.one_of(
            st.sampled_from(PATHS),
            st.fixed_dictionaries(
                {"path": st.sampled_from(PATHS)}, optional={"required": st.booleans()}
            ),
        )
    ),
)
build = st.one_of(
    st.sampled_from((".", "..", "sub/dir", "https://example.org/x.git", "/abs")),
    st.fixed_dictionaries(
        {},
        optional={
            "context": st.sampled_from((".", "../up")),
            "dockerfile": st.sampled_from(("Dockerfile.dev", "sub/Dockerfile")),
            "target": st.sampled_from(("dev", "prod")),
            "args": pairs,
            "labels": mappings(scalar),
            "tags": lists(st.sampled_from(("a:1", "b:2"))),
            "additional_contexts": lists(st.sampled_from(("one=../one", "two=/two"))),
        },
    ),
)
words = st.one_of(st.sampled_from(("run it", "sh -c 'a b'", "$A")), lists(st.sampled_from(WORDS)))
health = st.fixed_dictionaries(
    {},
    optional={
        "test": st.one_of(
            st.sampled_from(("curl x", "NONE")),
            st.sampled_from((["CMD", "true"], ["CMD-SHELL", "a b"], ["NONE"])),
        ),
        "interval": st.sampled_from(("1s", "1m30s", "500ms")),
        "timeout": st.sampled_from(("3s", "1h")),
        "retries": st.integers(1, 9),
        "start_period": st.sampled_from(("10s", "0s")),
        "disable": st.booleans(),
    },
)
service = st.fixed_dictionaries(
    {},
    optional={
        "image": st.sampled_from(("postgres:16", "redis:${TAG:-7}", "ghcr.io/a/b@sha256:c")),
        "build": build,
        "profiles": lists(st.sampled_from(("dev", "prod", "debug"))),
        "ports": lists(st.one_of(st.sampled_from(SHORT_PORTS), long_port, st.integers(80, 82))),
        "volumes": lists(st.one_of(st.sampled_from(SHORT_VOLUMES), long_volume)),
        "env_file": env_file,
        "environment": pairs,
        "healthcheck": health,
        "depends_on": needed,
        "restart": st.sampled_from(("always", "unless-stopped", "no")),
        "user": st.sampled_from(("node", "1000:1000")),
        "command": words,
        "entrypoint": words,
        "links": lists(st.sampled_from(("db:alias", "job"))),
        "expose": lists(st.sampled_from(("80", "81"))),
        "labels": pairs,
        "dns": st.one_of(st.just("1.1.1.1"), lists(st.sampled_from(("1.1.1.1", "9.9.9.9")))),
    },
)
document = st.fixed_dictionaries(
    {"services": st.dictionaries(st.sampled_from(NAMES), service, min_size=1)},
    optional={
        "name": st.sampled_from(("one", "Two!", "${NAME:-three}")),
        "volumes": st.dictionaries(st.sampled_from(("data", "other")), st.none()),
        "x-own": st.just({"a": [1]}),
    },
)
stack = st.lists(document, min_size=1, max_size=3)
