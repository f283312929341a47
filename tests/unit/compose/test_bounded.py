from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.compose import bounded, model
from invoke_stack.errors import UsageError

Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return what compose files say together; each is a text, in the folder `shop`."""

    def read(*texts: str, fill: Any = None, **environ: str) -> dict[str, Any]:
        folder = tmp_path / "shop"
        folder.mkdir(exist_ok=True)
        paths = [folder / f"{number}.yml" for number, _ in enumerate(texts, 1)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        source = bounded.Source(tuple(paths), folder, environ, lambda path: path.name)
        return bounded.tree(source, fill)

    return read


def refusal(read: Read, *texts: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(*texts)
    return caught.value


def test_files_are_put_over_each_other(read: Read, tmp_path: Path) -> None:
    found = read(
        "services: {web: {build: ., ports: ['3000:3000']}, db: {image: 'postgres:16'}}",
        "services: {web: {build: {target: dev}, ports: ['9229:9229'], env_file: .env}}",
    )
    web = model.parse(found).services["web"]

    assert [(each.published, each.target) for each in web.ports] == [(3000, 3000), (9229, 9229)]
    assert found["services"]["web"]["build"] == {
        "context": str(tmp_path / "shop"),
        "dockerfile": "Dockerfile",
        "target": "dev",
    }
    assert [each.path for each in web.env_files] == [tmp_path / "shop" / ".env"]


@pytest.mark.parametrize(
    ("environ", "source"), [({"HOME": "/home/ann"}, "/home/ann/x"), ({}, "{folder}/~/x")]
)
def test_a_tilde_is_the_home_that_the_environment_names_as_for_compose(
    read: Read, tmp_path: Path, environ: dict[str, str], source: str
) -> None:
    found = read("services: {db: {image: a, volumes: ['~/x:/y']}}", **environ)

    (mount,) = found["services"]["db"]["volumes"]
    assert mount["source"] == source.format(folder=tmp_path / "shop")


def test_variables_stay_as_written(read: Read) -> None:
    found = read("services: {db: {image: 'postgres:${TAG:-16}', ports: ['${PORT:-5432}:5432']}}")

    assert found["services"]["db"]["image"] == "postgres:${TAG:-16}"
    assert found["services"]["db"]["ports"] == ["${PORT:-5432}:5432"]


def test_they_are_replaced_before_anything_is_read_where_that_is_asked_for(read: Read) -> None:
    found = read(
        "services: {db: {image: x, ports: ['${PORT}:5432'], environment: [A=$B]}}",
        fill=lambda text, where: text.replace("${PORT}", "5433").replace("$B", where),
    )

    assert found["services"]["db"]["ports"][0]["published"] == "5433"
    assert found["services"]["db"]["environment"] == ["A=1.yml:1"]


def test_anchors_and_merge_keys_are_followed(read: Read) -> None:
    found = read(
        "x-base: &base {restart: always, environment: &env {A: 1}}\n"
        "services: {web: {<<: *base, image: x, environment: {<<: *env, B: 2}}}\n"
    )

    assert found["services"]["web"]["restart"] == "always"
    assert found["services"]["web"]["environment"] == {"A": 1, "B": 2}


def test_a_name_without_a_value_gets_one_only_where_variables_are_replaced(read: Read) -> None:
    text = "services: {web: {build: {context: ., args: [A, B]}, environment: {A: , B: }}}"
    as_written = read(text, A="1")["services"]["web"]
    filled = read(text, A="1", fill=lambda text, _: text)["services"]["web"]

    assert as_written["environment"] == {"A": None, "B": None}
    assert as_written["build"]["args"] is None
    assert filled["environment"] == {"A": "1", "B": None}
    assert filled["build"]["args"] == ["A=1"]


def test_other_ways_to_name_a_service_count_as_dependencies(read: Read) -> None:
    found = read(
        "services:\n  web: {image: x, links: ['db:d'], network_mode: 'service:vpn',"
        " volumes_from: ['data:ro', 'container:y']}\n"
    )

    assert sorted(found["services"]["web"]["depends_on"]) == ["data", "db", "vpn"]


@pytest.mark.parametrize(
    ("texts", "environ", "name"),
    [
        (("services: {}",), {}, "shop"),
        (("name: one\nservices: {}", "services: {}"), {}, "one"),
        (("name: one\nservices: {}", "name: My App!\n"), {}, "myapp"),
        (("name: one\nservices: {}",), {"COMPOSE_PROJECT_NAME": "two"}, "two"),
    ],
)
def test_the_name_is_the_environments_or_the_last_files_or_the_folders(
    read: Read, texts: tuple[str, ...], environ: dict[str, str], name: str
) -> None:
    assert read(*texts, **environ)["name"] == name


def test_a_name_that_compose_refuses_is_refused(read: Read) -> None:
    with pytest.raises(UsageError, match="project name: `Shop 2` must consist") as caught:
        read("services: {}", COMPOSE_PROJECT_NAME="Shop 2")

    assert "COMPOSE_PROJECT_NAME" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("include: [other.yml]\nservices: {}\n", "1.yml:1", "`include`"),
        ("services:\n  web:\n    extends: {service: base}\n", "1.yml:3", "`extends`"),
        ("services:\n  web:\n    ports: !reset []\n", "1.yml:3", "`!reset`"),
        ("services:\n  web:\n    ports: !override\n      - 80\n", "1.yml:3", "`!override`"),
        ("services:\n  web:\n    environment:\n      A: !reset null\n", "1.yml:4", "`!reset`"),
    ],
)
def test_what_needs_compose_is_refused_by_name_and_line(
    read: Read, text: str, where: str, what: str
) -> None:
    problem = refusal(read, text)

    assert str(problem) == f"{where}: {what} cannot be read without Docker Compose"
    assert "install Docker Compose" in problem.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a\n", "1.yml:1: no compose file: a mapping was expected"),
        ("services: []\n", "1.yml:1: services is not a mapping"),
        ("services:\n  web:\n", "1.yml:2: services.web is not a mapping"),
        ("services:\n  web:\n    ports: 80\n", "1.yml:3: services.web.ports is not a list"),
        ("services:\n  web:\n    image: a\n    image: b\n", "1.yml:4: image stands there twice"),
        ("# nothing\n", "1.yml: an empty compose file"),
    ],
)
def test_what_is_no_compose_file_is_told_with_its_line(
    read: Read, text: str, expected: str
) -> None:
    assert str(refusal(read, text)) == expected


@pytest.mark.parametrize(
    ("text", "expected", "hint"),
    [
        (
            "services:\n  web:\n    image: x\n    enviroment: {A: 1}\n",
            "1.yml:4: services.web.enviroment: unknown key",
            "did you mean environment?",
        ),
        (
            "services:\n  web: {volume: [data:/data]}\n",
            "1.yml:2: services.web.volume: unknown key",
            "did you mean volumes?",
        ),
        (
            "services:\n  web: {containerName: a}\n",
            "1.yml:2: services.web.containerName: unknown key",
            "did you mean container_name?",
        ),
        (
            "x-base: &base {imagge: y}\nservices:\n  web: {<<: *base}\n",
            "1.yml:1: services.web.imagge: unknown key",
            "did you mean image?",
        ),
        (
            "services:\n  web: {mine: 5}\n",
            "1.yml:2: services.web.mine: unknown key",
            "remove it, or begin it with x- as a key of your own",
        ),
        ("service: {a: {image: x}}\n", "1.yml:1: service: unknown key", "did you mean services?"),
        (
            "web: {image: x}\n",
            "1.yml:1: web: unknown key",
            "services stand below `services:`; a key of your own begins with x-",
        ),
    ],
)
def test_a_key_that_compose_does_not_know_is_refused_with_the_nearest_one(
    read: Read, text: str, expected: str, hint: str
) -> None:
    problem = refusal(read, text)

    assert (str(problem), problem.hint) == (expected, hint)


def test_keys_of_ones_own_begin_with_x(read: Read) -> None:
    found = read("x-mine: 1\nservices: {web: {image: x, x-enviroment: {A: 1}}}\n")

    assert found["services"]["web"] == {"image": "x", "x-enviroment": {"A": 1}}


def test_keys_that_a_later_compose_brought_are_no_mistake(read: Read) -> None:
    found = read("models: {}\nservices: {web: {image: x, gpus: all, post_start: []}}\n")

    assert found["services"]["web"]["gpus"] == "all"


ODD = (5, 1.5, True, "x", [[1]], [{}], {"a": {}}, [None], [{"target": {}, "path": {}}])


@pytest.mark.parametrize("key", ["build", "ports", "env_file", "links", "volumes", "networks"])
@pytest.mark.parametrize("low", ODD)
@pytest.mark.parametrize("high", ODD)
def test_odd_values_are_refused_or_read_but_never_a_crash(
    read: Read, key: str, low: Any, high: Any
) -> None:
    texts = [json.dumps({"services": {"a": {key: each}}}) for each in (low, high)]

    try:
        found = read(*texts)
    except UsageError:
        return
    assert list(model.parse(found).services) == ["a"]


@pytest.mark.parametrize("name", ["../../other", "..", ".", "/other", "a b", ""])
def test_what_cannot_be_a_services_name_never_becomes_a_folder(read: Read, name: str) -> None:
    problem = refusal(read, f"services:\n  db: {{image: a}}\n  '{name}': {{image: postgres}}")

    assert problem.where == "1.yml:3"
    assert problem.message == f"`{name}` cannot be a service's name"
    assert problem.hint == "use letters, digits, . _ and - alone"


def test_a_conflict_of_forms_names_the_later_file_and_the_path(read: Read) -> None:
    problem = refusal(
        read,
        "services: {web: {ulimits: {nproc: 1}}}",
        "services: {web: {ulimits: [b]}}",
    )

    assert str(problem).startswith("2.yml: services.web.ulimits: cannot be overridden")


def test_several_documents_of_a_file_are_put_over_each_other(read: Read) -> None:
    found = read("services: {a: {image: x}}\n---\nservices: {a: {image: y}}\n")

    assert found["services"]["a"]["image"] == "y"
