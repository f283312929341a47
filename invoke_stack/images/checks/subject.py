"""What the rules of `image.check` look at: one built image, its stack and its Dockerfile."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from invoke_stack.compose.model import Service
from invoke_stack.compose.tolerant import mapping
from invoke_stack.dockerfile.model import Word
from invoke_stack.findings.model import Place
from invoke_stack.images.contents import Contents
from invoke_stack.images.filesystem import Files
from invoke_stack.images.layers import Image
from invoke_stack.images.targets import Target


@dataclass(frozen=True, slots=True)
class Subject:
    """One image under inspection.

    Attributes:
        config: the `Config` that the engine stores.
        environment: what the service's containers get, the image's own ENV included.
        secrets: secret values by key.
        compose: the compose file that is named in fixes.
        production: whether the image is meant for real users.
        asked: the URL path at which the project asks the service how it is.
    """

    target: Target
    image: Image
    config: Mapping[str, Any] = field(repr=False)
    contents: Contents = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)
    compose: str
    production: bool
    asked: str

    @property
    def name(self) -> str:
        """The service's name: the subject of every finding."""
        return self.target.name

    @property
    def service(self) -> Service:
        """What the compose files say about it."""
        return self.target.service

    @property
    def files(self) -> Files:
        """What a container sees."""
        return self.contents.files

    @property
    def workdir(self) -> str:
        """The folder in which the start command runs."""
        return posixpath.normpath(str(self.config.get("WorkingDir") or "/"))

    @property
    def path(self) -> str:
        """PATH as containers have it."""
        return self.environment.get("PATH", "")

    @property
    def own_environment(self) -> Mapping[str, str]:
        """The ENV that is part of the image."""
        return dict(str(pair).partition("=")[::2] for pair in self.config.get("Env") or ())

    @property
    def labels(self) -> Mapping[str, Any]:
        """The image's labels."""
        return mapping(self.config.get("Labels"))

    @property
    def start(self) -> tuple[str, ...]:
        """The words of the start command: the stack's over the image's."""
        own, given = self.service.entrypoint, self.service.command
        entrypoint = own if own is not None else tuple(self.config.get("Entrypoint") or ())
        # An entrypoint of the stack's own makes the engine forget the image's command.
        command = given if given is not None else () if own else tuple(self.config.get("Cmd") or ())
        return (*entrypoint, *command)

    @property
    def probe(self) -> tuple[str, ...]:
        """The health check that counts, its kind first; () without one."""
        if self.service.unchecked:
            return ()
        own = tuple((mapping(self.config.get("Healthcheck"))).get("Test") or ())
        found = self.service.probe or own
        return () if found[:1] == ("NONE",) else found

    def layer(self, number: int) -> Place:
        """Return the Dockerfile line that made a layer."""
        layers = self.image.layers
        if number < len(layers) and layers[number].file:
            return Place("image", layers[number].file, layers[number].line)
        return self.target.source.place(0)

    def inside(self, path: str) -> Place:
        """Return a place in the image."""
        return Place("inside", path)

    def dockerfile(self, name: str = "") -> Place:
        """Return the place of an instruction of the built stage's chain, or of its end."""
        source = self.target.source
        stage = source.stage(self.target.stage)
        if stage is None or source.dockerfile is None:
            return source.place(0)
        for each in source.dockerfile.chain(stage):
            found = list(each.named(name)) if name else []
            if found:
                return source.place(found[-1].line)
        last = stage.instructions[-1].line if stage.instructions else stage.line
        return source.place(last)

    def word(self, kind: str, key: str) -> Place:
        """Return the place of an ENV key in the built stage's chain."""
        source = self.target.source
        stage = source.stage(self.target.stage)
        if stage is None or source.dockerfile is None:
            return source.place(0)
        found: Word | None = source.dockerfile.env(stage).get(key) if kind == "ENV" else None
        return source.place(found.line if found else 0)
