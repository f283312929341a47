from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from invoke_stack.compose import model
from invoke_stack.errors import UsageError
from invoke_stack.images import layers
from invoke_stack.images.source import Source
from invoke_stack.images.targets import Target

MakeSource = Callable[..., Source]

HISTORY = [
    {"CreatedBy": 'CMD ["node", "server.js"]', "Size": 0},
    {"CreatedBy": "EXPOSE map[3000/tcp:{}]", "Size": 0},
    {"CreatedBy": "USER node", "Size": 0},
    {"CreatedBy": "COPY /app/dist ./ # buildkit", "Size": 700},
    {"CreatedBy": "ENV PORT=3000", "Size": 0},
    {"CreatedBy": "WORKDIR /app", "Size": 0},
    {"CreatedBy": 'CMD ["node"]', "Size": 0},
    {"CreatedBy": "RUN |1 TOKEN=abc def /bin/sh -c npm  ci # buildkit", "Size": 30},
    {"CreatedBy": "", "Size": 5000},
]


class Engine:
    """An engine with one image."""

    def __init__(self, digests: list[str]) -> None:
        self.document = {"Id": "sha256:1", "Size": 5730, "RootFS": {"Layers": digests}}

    def image(self, tag: str) -> dict[str, Any] | None:
        return self.document if tag == "shop-web" else None

    def history(self, image: str) -> list[dict[str, Any]]:
        return HISTORY if image == self.document["Id"] else []


@pytest.fixture
def target(make_source: MakeSource) -> Target:
    service = model.parse({"services": {"web": {"build": "."}}}).services["web"]
    return Target(service, "shop-web", "", {}, make_source())


def test_every_layer_has_its_size_its_instruction_and_its_line(target: Target) -> None:
    image = layers.read(Engine(["a", "b", "c", "d"]), target)  # type: ignore[arg-type]

    assert [(e.bytes, e.created_by, e.origin, e.digest) for e in image.layers] == [
        (5000, "(imported)", "base image", "a"),
        (30, "RUN npm ci", "base image", "b"),
        (0, "WORKDIR /app", "Dockerfile:6", "c"),
        (700, "COPY --from=builder /app/dist ./", "Dockerfile:8", "d"),
    ]
    assert image.base == 2


def test_the_images_own_configuration_tells_which_steps_made_a_layer(target: Target) -> None:
    image = layers.read(Engine([]), target)  # type: ignore[arg-type]
    history = [
        {"created_by": each["CreatedBy"], "empty_layer": not each["Size"]}
        for each in reversed(HISTORY)
    ]

    exact = layers.told_by(image, {"history": history}, target)

    assert [(each.created_by, each.line) for each in exact.layers] == [
        ("(imported)", 0),
        ("RUN npm ci", 0),
        ("COPY --from=builder /app/dist ./", 8),
    ]
    assert exact.base == 2


def test_digests_that_cannot_be_told_apart_are_left_out(target: Target) -> None:
    image = layers.read(Engine(["a"]), target)  # type: ignore[arg-type]

    assert [each.digest for each in image.layers] == ["", "", ""]
    assert all(each.bytes for each in image.layers)


def test_an_image_that_is_not_there_names_the_task_that_makes_it(target: Target) -> None:
    with pytest.raises(UsageError) as caught:
        layers.read(Engine([]), target, "shop-web:old")  # type: ignore[arg-type]
    assert caught.value.hint == "docker image ls"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN |2 A=1 B=2 /bin/sh -c make # buildkit", "RUN make"),
        ("|1 A=secret /bin/sh -c make", "RUN make"),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("/bin/sh -c #(nop) COPY dir:abc in / ", "COPY dir:abc in /"),
        ("COPY a b # buildkit", "COPY a b"),
    ],
)
def test_history_is_told_without_the_values_of_arguments(text: str, expected: str) -> None:
    assert layers.told(text) == expected
