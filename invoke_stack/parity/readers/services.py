"""One Compose service, merged, to a process or a datastore."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, cast

from invoke_stack.compose import ports as composeports
from invoke_stack.compose.tolerant import mapping
from invoke_stack.parity.declaration import Build, Datastore, Problem, Process, Role
from invoke_stack.parity.parts import EnvFile, EnvVar, Mount, PortMap, Probe, Wait
from invoke_stack.parity.readers import builds, images, probes, scripts
from invoke_stack.parity.readers.builds import Source
from invoke_stack.parity.readers.composecli import PORT, STANDIN
from invoke_stack.parity.readers.composefiles import Written
from invoke_stack.parity.readers.env import hidden, variable
from invoke_stack.parity.repository import Template
from invoke_stack.parity.values import ABSENT, Src, Val

_DEV_NAME = re.compile(
    r"(?:^|[-_])(?:pgadmin|adminer|mailhog|mailpit|mailcatcher|maildev|inbucket|redis-?commander"
    r"|redis-?insight|studio|prometheus|grafana|phpmyadmin|mongo-express|storybook|ngrok)(?:[-_]|$)"
)
_WORKER_NAME = re.compile(
    r"(?:^|[-_])(?:workers?|queue|jobs?|scheduler|celery|beat|cron)(?:[-_]|$)"
)
_TRAEFIK_PORT = re.compile(r"traefik\.http\.services\.[^.]+\.loadbalancer\.server\.port$")
_CADDY_PORT = re.compile(r"\{\{\s*upstreams(?:\s+https?)?\s+(\d+)\s*\}\}|:(\d+)\s*$")


@dataclass(frozen=True, slots=True)
class Layer:
    """What a service is read with.

    Attributes:
        folder: Compose's project directory, from the root.
        templates: of the repository.
        template_of: the template of an env file, "" for none.
        uses: by file and line, the variables that stand there.
        jobs: services that others wait for to complete.
    """

    source: Source
    written: Written
    folder: str
    templates: Mapping[str, Template]
    template_of: Callable[[str], str]
    uses: Mapping[tuple[str, int], tuple[tuple[str, bool], ...]]
    jobs: frozenset[str] = frozenset()
    problems: list[Problem] = field(default_factory=list)


def service(layer: Layer, name: str, body: Mapping[str, Any]) -> Process | Datastore:
    """Return what a service is."""
    return _Service(layer, name, body).read()


class _Service:
    def __init__(self, layer: Layer, name: str, body: Mapping[str, Any]) -> None:
        self._layer = layer
        self._name = name
        self._body = body
        self._written = layer.written

    def read(self) -> Process | Datastore:
        made = self._build()
        image = self._image()
        runs = builds.base_image(made) if made is not None else image
        kind = images.store(runs.value) if runs.value and STANDIN not in runs.value else None
        own = made is not None and made.parsed is not None and _serves(made)
        if kind is not None and not own:
            return self._store(kind, runs, made)
        return self._process(made, image)

    def _at(self, *path: str) -> Src:
        return self._written.at(self._name, *path)

    def _val(self, *path: str) -> Val[str]:
        value: Any = self._body
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
            hidden(text) if known else None, self._at(*path), "declared" if known else "unknown"
        )

    def _image(self) -> Val[str]:
        return self._val("image")

    def _build(self) -> Build | None:
        section = self._body.get("build")
        if section is None:
            return None
        inside = {"context": section} if isinstance(section, str) else mapping(section)
        context = self._from_root(str(inside.get("context") or "."))
        stated = inside.get("dockerfile")
        path = posixpath.normpath(posixpath.join(context, str(stated or "Dockerfile")))
        where = self._at("build", "context") if isinstance(section, Mapping) else self._at("build")
        dockerfile = Val(
            path, self._at("build", "dockerfile") if stated else self._at("build"),
            "declared" if stated else "default",
        )  # fmt: skip
        args = self._environment(inside.get("args"), "build", "args", build_time=True)
        made, problems = builds.build(
            self._layer.source, Val(context, where), dockerfile, self._val("build", "target"), args,
            str(inside.get("dockerfile_inline") or ""),
        )  # fmt: skip
        self._layer.problems.extend(problems)
        return made

    def _from_root(self, path: str) -> str:
        """Return a path of Compose's answer from the project root; as it is outside of it."""
        root = self._layer.source.workspace.root.as_posix()
        plain = path.replace("\\", "/")
        if plain == root:
            return "."
        if plain.startswith(f"{root}/"):
            return posixpath.normpath(plain[len(root) + 1 :])
        if posixpath.isabs(plain) or "://" in plain or plain.startswith(("~", "git@")):
            return plain
        return posixpath.normpath(posixpath.join(self._layer.folder, plain))

    def _environment(self, value: Any, *path: str, build_time: bool = False) -> dict[str, EnvVar]:
        pairs: dict[str, Any] = {}
        if isinstance(value, Mapping):
            pairs.update(value)
        for entry in value if isinstance(value, list) else ():
            key, equals, text = str(entry).partition("=")
            pairs[key] = text if equals else None
        return {
            str(key): self._variable(str(key), text, path, build_time=build_time)
            for key, text in pairs.items()
        }

    def _variable(self, key: str, value: Any, path: tuple[str, ...], *, build_time: bool) -> EnvVar:
        src = self._env_line(key, path)
        uses = self._layer.uses.get((src.file, src.line), ())
        text = None if value is None else _text(value)
        if text is not None and STANDIN in text:
            text = None
        required = True if any(needed for _, needed in uses) else None
        return variable(
            key, text, src, "interpolated" if uses or value is None else "literal",
            required=required, build_time=build_time, variables=tuple(name for name, _ in uses),
        )  # fmt: skip

    def _env_line(self, key: str, path: tuple[str, ...]) -> Src:
        for node in self._written.nodes(self._name):
            found = node.get(*path)
            if key in found.fields:
                return found.fields[key].here
            for item in found.items:
                if item.value.partition("=")[0] == key:
                    return item.src
        return self._at(*path)

    def _env_files(self) -> tuple[EnvFile, ...]:
        found: dict[str, EnvFile] = {}
        for node in reversed(list(self._written.nodes(self._name))):
            section = node.get("env_file")
            folder = self._layer.folder
            for item in section.items or ((section,) if section else ()):
                name = item.value or item.get("path").value
                if not name or "$" in name:
                    continue
                path = posixpath.normpath(posixpath.join(folder, name))
                required = item.get("required").value.casefold() != "false"
                committed = path in self._layer.templates
                template = "" if committed else self._layer.template_of(path)
                found[path] = EnvFile(path, item.here, required, template, committed)
        return tuple(found.values())

    def _env(self, made: Build | None, files: tuple[EnvFile, ...]) -> dict[str, EnvVar]:
        env = builds.image_env(made) if made is not None else {}
        for each in files:
            template = self._layer.templates.get(each.template or each.path)
            if template is not None:
                env |= {k: v for k, v in template.keys.items() if not v.commented}
        return env | self._environment(self._body.get("environment"), "environment")

    def _ports(self) -> tuple[PortMap, ...]:
        found = composeports.read(self._name, self._body.get("ports") or ())
        return tuple(
            PortMap(
                each.target,
                None if each.published == int(PORT) else each.published,
                self._port_line(each.target, each.published),
                each.protocol,
                each.host,
            )
            for each in found
        )

    def _port_line(self, target: int, published: int | None) -> Src:
        """Return the line of a port; the strongest file's when several could be meant."""
        best: Src | None = None
        for node in self._written.nodes(self._name):
            for item in node.get("ports").items:
                text = item.value or f"{item.get('published').value}:{item.get('target').value}"
                plain = text.partition("/")[0]
                if not re.search(rf"(?:^|:|-){target}$", plain) and "$" not in plain:
                    continue
                if published is not None and re.search(rf"(?:^|[:\-]){published}:", plain):
                    return item.src
                best = best or item.src
        return best or self._at("ports")

    def _health(self, made: Build | None) -> tuple[Probe, ...]:
        section = self._body.get("healthcheck")
        own = probes.of_compose(mapping(section), self._health_line()) if section else None
        below = builds.health(made, shadowed=own is not None) if made is not None else ()
        return ((own,) if own is not None else ()) + below

    def _health_line(self) -> Src:
        line = self._at("healthcheck", "test")
        return line if line.path.endswith("test") else self._at("healthcheck")

    def _mounts(self) -> tuple[Mount, ...]:
        found = []
        for entry in self._body.get("volumes") or ():
            each = _long_volume(entry) if isinstance(entry, str) else mapping(entry)
            kind, source = str(each.get("type") or "volume"), str(each.get("source") or "")
            target = str(each.get("target") or "")
            if kind == "volume" and not source:
                kind = "anonymous"
            if kind == "bind":
                source = self._from_root(source)
            if kind not in {"volume", "bind", "tmpfs", "anonymous"} or not target:
                continue
            line = self._written.entry(self._name, "volumes", partial(_targets, target))
            kinds = cast("Literal['volume', 'bind', 'tmpfs', 'anonymous']", kind)
            found.append(Mount(kinds, source, target, line, bool(each.get("read_only"))))
        return tuple(found)

    def _waits(self) -> tuple[Wait, ...]:
        value = self._body.get("depends_on")
        names = value if isinstance(value, (Mapping, list)) else ()
        conditions = value if isinstance(value, Mapping) else {}
        return tuple(
            Wait(
                str(name),
                str(mapping(conditions.get(name)).get("condition") or "service_started"),
                self._depends_line(str(name)),
            )
            for name in names
        )

    def _depends_line(self, name: str) -> Src:
        return self._written.entry(self._name, "depends_on", lambda text: text == name)

    def _names(self) -> tuple[str, ...]:
        names = [self._name, self._body.get("container_name"), self._body.get("hostname")]
        for network in mapping(self._body.get("networks")).values():
            names += mapping(network).get("aliases") or ()
        return tuple(dict.fromkeys(str(each) for each in names if each))

    def _store(self, kind: tuple[Any, str], runs: Val[str], made: Build | None) -> Datastore:
        reference = runs.value or ""
        env = self._environment(self._body.get("environment"), "environment")
        return Datastore(
            kind[0], self._name, kind[1], images.tag_version(reference, runs.src),
            self._at(), self._policy() if kind[0] == "keyvalue" else ABSENT, images.extensions(reference),
            names=self._names(), image=runs, build=made, health=self._health(made),
            ports=self._ports(), mounts=self._mounts(), env=env, waits=self._waits(),
            profiles=tuple(self._body.get("profiles") or ()),
            database=_stated(env, "POSTGRES_DB", "MYSQL_DATABASE", "MARIADB_DATABASE"),
            user=_stated(env, "POSTGRES_USER", "MYSQL_USER", "MARIADB_USER"),
        )  # fmt: skip

    def _policy(self) -> Val[str]:
        text = " ".join(builds.words(self._body.get("command")) or ())
        found = re.search(r"--maxmemory-policy[ =](\S+)", text)
        if found:
            return Val(found[1], self._at("command"))
        return Val("noeviction", self._at(), "default", "Redis's own default")

    def _process(self, made: Build | None, image: Val[str]) -> Process:
        files = self._env_files()
        env = self._env(made, files)
        command = builds.words(self._body.get("command"))
        entry = builds.words(self._body.get("entrypoint"))
        src = (
            self._at("entrypoint") if entry is not None and command is None else self._at("command")
        )
        steps = builds.start_steps(self._layer.source, made, entry, command, src)
        if made is None and not steps and command:
            steps = scripts.exec_steps(builds.where(self._layer.source, None), command, src)
        health = self._health(made)
        published = self._ports()
        listens = self._port(made, published, env)
        job = self._name in self._layer.jobs
        context = made.context if made is not None else ABSENT
        runtime: Val[str] = (
            Val("docker", self._at("build")) if made is not None else Val("image", image.src)
        )
        lang = builds.language(made) if made is not None else _image_language(image)
        return Process(
            self._name,
            "job" if job else self._role(steps, published, health, listens),
            runtime, self._at(), image, made, context,
            steps_start=steps,
            command=self._val("command"), entrypoint=self._val("entrypoint"),
            port=listens, binds_port_env=builds.binds_port_env(steps, env), health=health, env=env,
            env_files=files, lang=lang, mounts=self._mounts(), ports=published, waits=self._waits(),
            instances=self._instances(), profiles=tuple(self._body.get("profiles") or ()),
            dev_tool=self._is_dev_tool(image, made), job=job, names=self._names(),
            extra_hosts=self._extra_hosts(), user=self._val("user"), privileged=self._privileged(),
        )  # fmt: skip

    def _is_dev_tool(self, image: Val[str], made: Build | None) -> bool:
        reference = image.value or ""
        if made is None and (images.is_dev_tool(reference) or images.is_proxy(reference)):
            return True
        return bool(_DEV_NAME.search(self._name))

    def _role(
        self, steps: tuple[Any, ...], published: tuple[PortMap, ...], health: tuple[Probe, ...],
        listens: Val[int],
    ) -> Role:  # fmt: skip
        tags = {each.tag for each in steps}
        if "worker" in tags or (_WORKER_NAME.search(self._name) and not published):
            return "worker"
        if published or self._labelled():
            return "web"
        if listens.value is not None or any(each.path for each in health):
            return "private"
        return "worker" if tags else "unknown"

    def _labels(self) -> dict[str, str]:
        value = self._body.get("labels")
        if isinstance(value, list):
            return dict(str(each).partition("=")[::2] for each in value)
        return {str(key): str(text) for key, text in mapping(value).items()}

    def _labelled(self) -> bool:
        labels = self._labels()
        routed = any(key.startswith("traefik.http.routers.") for key in labels)
        return routed or any(key == "caddy" or key.startswith("caddy_") for key in labels)

    def _port(
        self, made: Build | None, published: tuple[PortMap, ...], env: Mapping[str, EnvVar]
    ) -> Val[int]:
        for key, text in self._labels().items():
            if _TRAEFIK_PORT.search(key) and text.isdecimal():
                return Val(
                    int(text), self._written.entry(self._name, "labels", partial(_contains, key))
                )
            if key.endswith("reverse_proxy") and (found := _CADDY_PORT.search(text)):
                number = int(found[1] or found[2])
                return Val(
                    number, self._written.entry(self._name, "labels", partial(_contains, key))
                )
        tcp = [each for each in published if each.protocol == "tcp"]
        if tcp:
            return Val(tcp[0].target, tcp[0].src)
        for each in self._body.get("expose") or ():
            if str(each).isdecimal():
                return Val(int(each), self._at("expose"))
        stated = env.get("PORT")
        if stated is not None and (stated.value or "").isdecimal():
            return Val(int(stated.value or 0), stated.src, "inferred")
        return builds.port(made) if made is not None else Val(None)

    def _instances(self) -> Val[int]:
        count = mapping(self._body.get("deploy")).get("replicas", self._body.get("scale"))
        if isinstance(count, int):
            return Val(count, self._at("deploy", "replicas"))
        return Val(1, self._at(), "default")

    def _extra_hosts(self) -> tuple[str, ...]:
        value = self._body.get("extra_hosts")
        entries = value if isinstance(value, (list, Mapping)) else ()
        return tuple(re.split(r"[=:]", str(each), maxsplit=1)[0] for each in entries)

    def _privileged(self) -> tuple[Val[str], ...]:
        keys = ("privileged", "devices", "cap_add", "network_mode")
        return tuple(
            Val(key, self._at(key))
            for key in keys
            if self._body.get(key) and (key != "network_mode" or self._body[key] == "host")
        )


def _serves(made: Build) -> bool:
    """Tell whether a build on a datastore's image brings a program of its own."""
    if made.parsed is None or made.stage is None:
        return False
    return made.parsed.cmd(made.stage) is not None and any(
        each.sources == (".",) for each in made.parsed.copies(made.stage)
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _stated(env: Mapping[str, EnvVar], *keys: str) -> Val[str]:
    found = next((env[key] for key in keys if key in env), None)
    return Val(found.value, found.src) if found is not None else ABSENT


def _image_language(image: Val[str]) -> dict[str, Any]:
    found = images.language(image.value, image.src) if image.value else None
    return dict([found]) if found else {}


def _contains(part: str, text: str) -> bool:
    return part in text


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


def jobs(services: Mapping[str, Any]) -> Iterator[str]:
    """Yield the services that others wait for to complete."""
    for body in services.values():
        for name, wait in mapping(mapping(body).get("depends_on")).items():
            if mapping(wait).get("condition") == "service_completed_successfully":
                yield str(name)
