"""What the merged answer and the files together say about one Compose service."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, cast

from invoke_stack.compose import ports as composeports
from invoke_stack.compose.tolerant import mapping
from invoke_stack.parity.declaration import Build, Problem
from invoke_stack.parity.parts import EnvFile, EnvVar, Mount, PortMap, Probe, Wait
from invoke_stack.parity.readers import builds, composefiles, probes
from invoke_stack.parity.readers.builds import Source
from invoke_stack.parity.readers.composecli import PORT, STANDIN
from invoke_stack.parity.readers.composefiles import Written
from invoke_stack.parity.readers.env import hidden, variable
from invoke_stack.parity.repository import Template
from invoke_stack.parity.values import ABSENT, Src, Val


@dataclass(frozen=True, slots=True)
class Layer:
    """What a service is read with.

    Attributes:
        folder: Compose's project directory, from the root.
        templates: of the repository.
        template_of: the template of an env file, "" for none.
        uses: by file and line, the variables that stand there.
        values: what stands in for variables.
        jobs: services that others wait for to complete.
    """

    source: Source
    written: Written
    folder: str
    templates: Mapping[str, Template]
    template_of: Callable[[str], str]
    uses: Mapping[tuple[str, int], tuple[tuple[str, bool], ...]]
    values: Mapping[str, str] = field(default_factory=dict)
    jobs: frozenset[str] = frozenset()
    problems: list[Problem] = field(default_factory=list)


class Body:
    """One service's merged body, with the line of everything in it.

    Args:
        layer: what its stack is read with.
        name: the service.
        body: Compose's answer for it.
    """

    def __init__(self, layer: Layer, name: str, body: Mapping[str, Any]) -> None:
        self.layer = layer
        self.name = name
        self.body = body
        self.written = layer.written

    def at(self, *path: str) -> Src:
        """Return the line of a key; that of the service without one."""
        return self.written.at(self.name, *path)

    def val(self, *path: str) -> Val[str]:
        """Return a scalar as people may see it; unknown where a variable decides it."""
        value: Any = self.body
        for key in path:
            value = mapping(value).get(key)
        if value is None or value == "":
            return ABSENT
        text = (
            value
            if isinstance(value, str)
            else " ".join(str(each) for each in value)
            if isinstance(value, list)
            else str(value)
        )
        known = STANDIN not in text
        return Val(
            hidden(text) if known else None, self.at(*path), "declared" if known else "unknown"
        )

    def image(self) -> Val[str]:
        """Return the image reference."""
        return self.val("image")

    def build(self) -> Build | None:
        """Return how the image is built; None where it is pulled."""
        section = self.body.get("build")
        if section is None:
            return None
        inside = {"context": section} if isinstance(section, str) else mapping(section)
        context = self.from_root(str(inside.get("context") or "."))
        stated = inside.get("dockerfile")
        path = posixpath.normpath(posixpath.join(context, str(stated or "Dockerfile")))
        where = self.at("build", "context") if isinstance(section, Mapping) else self.at("build")
        dockerfile = Val(
            path, self.at("build", "dockerfile") if stated else self.at("build"),
            "declared" if stated else "default",
        )  # fmt: skip
        args = self.environment(inside.get("args"), "build", "args", build_time=True)
        made, problems = builds.build(
            self.layer.source, Val(context, where), dockerfile, self.val("build", "target"), args,
            str(inside.get("dockerfile_inline") or ""),
        )  # fmt: skip
        self.layer.problems.extend(problems)
        return made

    def from_root(self, path: str) -> str:
        """Return a path of Compose's answer from the project root; as it is outside of it."""
        root = self.layer.source.workspace.root.as_posix()
        plain = path.replace("\\", "/")
        if plain == root:
            return "."
        if plain.startswith(f"{root}/"):
            return posixpath.normpath(plain[len(root) + 1 :])
        if posixpath.isabs(plain) or "://" in plain or plain.startswith(("~", "git@")):
            return plain
        return posixpath.normpath(posixpath.join(self.layer.folder, plain))

    def environment(self, value: Any, *path: str, build_time: bool = False) -> dict[str, EnvVar]:
        """Return variables as Compose resolved them, with the lines that set them."""
        pairs: dict[str, Any] = {}
        if isinstance(value, Mapping):
            pairs.update(value)
        for entry in value if isinstance(value, list) else ():
            key, equals, text = str(entry).partition("=")
            pairs[key] = text if equals else None
        return {
            str(key): self.variable(str(key), text, path, build_time=build_time)
            for key, text in pairs.items()
        }

    def variable(self, key: str, value: Any, path: tuple[str, ...], *, build_time: bool) -> EnvVar:
        """Return one of them."""
        src = self.env_line(key, path)
        uses = self.layer.uses.get((src.file, src.line), ())
        text = None if value is None else _text(value)
        if text is not None and STANDIN in text:
            text = None
        required = True if any(needed for _, needed in uses) else None
        return variable(
            key, text, src, "interpolated" if uses or value is None else "literal",
            required=required, build_time=build_time, variables=tuple(name for name, _ in uses),
        )  # fmt: skip

    def env_line(self, key: str, path: tuple[str, ...]) -> Src:
        """Return the line of one variable, in either of Compose's spellings."""
        for node in self.written.nodes(self.name):
            found = node.get(*path)
            if key in found.fields:
                return found.fields[key].here
            for item in found.items:
                if item.value.partition("=")[0] == key:
                    return item.src
        return self.at(*path)

    def env_files(self) -> tuple[EnvFile, ...]:
        """Return the `env_file:` entries with the templates that make them."""
        found: dict[str, EnvFile] = {}
        for node in reversed(list(self.written.nodes(self.name))):
            section = node.get("env_file")
            folder = self.layer.folder
            for item in section.items or ((section,) if section else ()):
                name = item.value or item.get("path").value
                if not name or "$" in name:
                    continue
                path = posixpath.normpath(posixpath.join(folder, name))
                required = item.get("required").value.casefold() != "false"
                committed = path in self.layer.templates
                template = "" if committed else self.layer.template_of(path)
                found[path] = EnvFile(path, item.here, required, template, committed)
        return tuple(found.values())

    def env(self, made: Build | None, files: tuple[EnvFile, ...]) -> dict[str, EnvVar]:
        """Return the variables at run time: image, env files, `environment:`, the last one wins."""
        env = builds.image_env(made) if made is not None else {}
        for each in files:
            template = self.layer.templates.get(each.template or each.path)
            if template is not None:
                env |= {k: v for k, v in template.keys.items() if not v.commented}
        return env | self.environment(self.body.get("environment"), "environment")

    def ports(self) -> tuple[PortMap, ...]:
        """Return the published ports."""
        found = composeports.read(self.name, self.body.get("ports") or ())
        return tuple(
            PortMap(
                each.target,
                None if each.published == int(PORT) else each.published,
                self.port_line(each.target, each.published),
                each.protocol,
                each.host,
            )
            for each in found
        )

    def port_line(self, target: int, published: int | None) -> Src:
        """Return the line of a port; of the strongest file when several say the same."""
        loose: Src | None = None
        for node in self.written.nodes(self.name):
            for item in node.get("ports").items:
                short = composefiles.expanded(item, self.layer.values)
                long = [item.get(key).value for key in ("published", "target")]
                entries: list[Any] = (
                    [short] if short else [dict(zip(("published", "target"), long, strict=True))]
                )
                for each in composeports.read(self.name, entries):
                    if each.target == target and each.published == published:
                        return item.src
                    if each.target == target:
                        loose = loose or item.src
        return loose or self.at("ports")

    def health(self, made: Build | None) -> tuple[Probe, ...]:
        """Return the health checks, the one that counts first."""
        section = self.body.get("healthcheck")
        own = probes.of_compose(mapping(section), self.health_line()) if section else None
        below = builds.health(made, shadowed=own is not None) if made is not None else ()
        return ((own,) if own is not None else ()) + below

    def health_line(self) -> Src:
        """Return the line of the check's command."""
        line = self.at("healthcheck", "test")
        return line if line.path.endswith("test") else self.at("healthcheck")

    def mounts(self) -> tuple[Mount, ...]:
        """Return volumes and binds."""
        found = []
        for entry in self.body.get("volumes") or ():
            each = _long_volume(entry) if isinstance(entry, str) else mapping(entry)
            kind, source = str(each.get("type") or "volume"), str(each.get("source") or "")
            target = str(each.get("target") or "")
            if kind == "volume" and not source:
                kind = "anonymous"
            if kind == "bind":
                source = self.from_root(source)
            if kind not in {"volume", "bind", "tmpfs", "anonymous"} or not target:
                continue
            line = self.written.entry(self.name, "volumes", partial(_targets, target))
            kinds = cast("Literal['volume', 'bind', 'tmpfs', 'anonymous']", kind)
            found.append(Mount(kinds, source, target, line, bool(each.get("read_only"))))
        return tuple(found)

    def waits(self) -> tuple[Wait, ...]:
        """Return what the service waits for."""
        value = self.body.get("depends_on")
        names = value if isinstance(value, (Mapping, list)) else ()
        conditions = value if isinstance(value, Mapping) else {}
        return tuple(
            Wait(
                str(name),
                str(mapping(conditions.get(name)).get("condition") or "service_started"),
                self.depends_line(str(name)),
            )
            for name in names
        )

    def depends_line(self, name: str) -> Src:
        """Return the line of one of them."""
        return self.written.entry(self.name, "depends_on", lambda text: text == name)

    def names(self) -> tuple[str, ...]:
        """Return every host name that the service answers to."""
        names = [self.name, self.body.get("container_name"), self.body.get("hostname")]
        for network in mapping(self.body.get("networks")).values():
            names += mapping(network).get("aliases") or ()
        return tuple(dict.fromkeys(str(each) for each in names if each))

    def labels(self) -> dict[str, str]:
        """Return the labels."""
        value = self.body.get("labels")
        if isinstance(value, list):
            return dict(str(each).partition("=")[::2] for each in value)
        return {str(key): str(text) for key, text in mapping(value).items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _targets(target: str, text: str) -> bool:
    return text == target or any(part.rstrip("/") == target.rstrip("/") for part in text.split(":"))


def _long_volume(text: str) -> dict[str, Any]:
    """Return a short volume (`source:target:ro`) in its long form."""
    parts = re.split(r":(?![\\/]{2})(?!\\)", text)
    if len(parts) == 1:
        return {"type": "volume", "target": parts[0]}
    source, target, *options = parts
    kind = "bind" if source.startswith((".", "/", "~")) else "volume"
    return {"type": kind, "source": source, "target": target, "read_only": "ro" in options}
