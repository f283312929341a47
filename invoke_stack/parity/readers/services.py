"""One Compose service, merged, to a process or a datastore."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from invoke_stack.compose.tolerant import mapping
from invoke_stack.parity.declaration import Build, Datastore, Process, Role
from invoke_stack.parity.parts import EnvVar, PortMap, Probe
from invoke_stack.parity.readers import builds, images, scripts
from invoke_stack.parity.readers.composecli import STANDIN
from invoke_stack.parity.readers.servicebody import Body, Layer
from invoke_stack.parity.values import ABSENT, Val

_DEV_NAME = re.compile(
    r"(?:^|[-_])(?:pgadmin|adminer|mailhog|mailpit|mailcatcher|maildev|inbucket|redis-?commander"
    r"|redis-?insight|studio|prometheus|grafana|phpmyadmin|mongo-express|storybook|ngrok)(?:[-_]|$)"
)
_WORKER_NAME = re.compile(
    r"(?:^|[-_])(?:workers?|queue|jobs?|scheduler|celery|beat|cron)(?:[-_]|$)"
)
_TRAEFIK_PORT = re.compile(r"traefik\.http\.services\.[^.]+\.loadbalancer\.server\.port$")
_CADDY_PORT = re.compile(r"\{\{\s*upstreams(?:\s+https?)?\s+(\d+)\s*\}\}|:(\d+)\s*$")


def service(layer: Layer, name: str, body: Mapping[str, Any]) -> Process | Datastore:
    """Return what a service is."""
    return _Service(layer, name, body).read()


class _Service(Body):
    def read(self) -> Process | Datastore:
        made = self.build()
        image = self.image()
        runs = builds.base_image(made) if made is not None else image
        kind = images.store(runs.value) if runs.value and STANDIN not in runs.value else None
        own = made is not None and made.parsed is not None and _serves(made)
        if kind is not None and not own:
            return self._store(kind, runs, made)
        return self._process(made, image)

    def _store(self, kind: tuple[Any, str], runs: Val[str], made: Build | None) -> Datastore:
        reference = runs.value or ""
        env = self.environment(self.body.get("environment"), "environment")
        return Datastore(
            kind[0], self.name, kind[1], images.tag_version(reference, runs.src),
            self.at(), self._policy() if kind[0] == "keyvalue" else ABSENT,
            images.extensions(reference),
            names=self.names(), image=runs, build=made, health=self.health(made),
            ports=self.ports(), mounts=self.mounts(), env=env, waits=self.waits(),
            profiles=tuple(self.body.get("profiles") or ()),
            database=_stated(env, "POSTGRES_DB", "MYSQL_DATABASE", "MARIADB_DATABASE"),
            user=_stated(env, "POSTGRES_USER", "MYSQL_USER", "MARIADB_USER"),
        )  # fmt: skip

    def _policy(self) -> Val[str]:
        text = " ".join(builds.words(self.body.get("command")) or ())
        found = re.search(r"--maxmemory-policy[ =](\S+)", text)
        if found:
            return Val(found[1], self.at("command"))
        return Val("noeviction", self.at(), "default", "Redis's own default")

    def _process(self, made: Build | None, image: Val[str]) -> Process:
        files = self.env_files()
        env = self.env(made, files)
        command = builds.words(self.body.get("command"))
        entry = builds.words(self.body.get("entrypoint"))
        src = self.at("entrypoint") if entry is not None and command is None else self.at("command")
        steps = builds.start_steps(self.layer.source, made, entry, command, src)
        if made is None and not steps and command:
            steps = scripts.exec_steps(builds.where(self.layer.source, None), command, src)
        health = self.health(made)
        published = self.ports()
        listens = self._port(made, published, env)
        job = self.name in self.layer.jobs
        context = made.context if made is not None else ABSENT
        runtime: Val[str] = (
            Val("docker", self.at("build")) if made is not None else Val("image", image.src)
        )
        lang = builds.language(made) if made is not None else _image_language(image)
        return Process(
            self.name,
            "job" if job else self._role(steps, published, health, listens),
            runtime, self.at(), image, made, context,
            steps_start=steps,
            command=self.val("command"), entrypoint=self.val("entrypoint"),
            port=listens, binds_port_env=builds.binds_port_env(steps, env), health=health, env=env,
            env_files=files, lang=lang, mounts=self.mounts(), ports=published, waits=self.waits(),
            instances=self._instances(), profiles=tuple(self.body.get("profiles") or ()),
            dev_tool=self._is_dev_tool(image, made), job=job, names=self.names(),
            extra_hosts=self._extra_hosts(), user=self.val("user"), privileged=self._privileged(),
        )  # fmt: skip

    def _is_dev_tool(self, image: Val[str], made: Build | None) -> bool:
        reference = image.value or ""
        if made is None and (images.is_dev_tool(reference) or images.is_proxy(reference)):
            return True
        return bool(_DEV_NAME.search(self.name))

    def _role(
        self, steps: tuple[Any, ...], published: tuple[PortMap, ...], health: tuple[Probe, ...],
        listens: Val[int],
    ) -> Role:  # fmt: skip
        tags = {each.tag for each in steps}
        if "worker" in tags or (_WORKER_NAME.search(self.name) and not published):
            return "worker"
        if published or self._labelled():
            return "web"
        if listens.value is not None or any(each.path for each in health):
            return "private"
        return "worker" if tags else "unknown"

    def _labelled(self) -> bool:
        labels = self.labels()
        routed = any(key.startswith("traefik.http.routers.") for key in labels)
        return routed or any(key == "caddy" or key.startswith("caddy_") for key in labels)

    def _port(
        self, made: Build | None, published: tuple[PortMap, ...], env: Mapping[str, EnvVar]
    ) -> Val[int]:
        for key, text in self.labels().items():
            if _TRAEFIK_PORT.search(key) and text.isdecimal():
                return Val(
                    int(text), self.written.entry(self.name, "labels", partial(_contains, key))
                )
            if key.endswith("reverse_proxy") and (found := _CADDY_PORT.search(text)):
                number = int(found[1] or found[2])
                return Val(number, self.written.entry(self.name, "labels", partial(_contains, key)))
        tcp = [each for each in published if each.protocol == "tcp"]
        if tcp:
            return Val(tcp[0].target, tcp[0].src)
        for each in self.body.get("expose") or ():
            if str(each).isdecimal():
                return Val(int(each), self.at("expose"))
        stated = env.get("PORT")
        if stated is not None and (stated.value or "").isdecimal():
            return Val(int(stated.value or 0), stated.src, "inferred")
        return builds.port(made) if made is not None else Val(None)

    def _instances(self) -> Val[int]:
        count = mapping(self.body.get("deploy")).get("replicas", self.body.get("scale"))
        if isinstance(count, int):
            return Val(count, self.at("deploy", "replicas"))
        return Val(1, self.at(), "default")

    def _extra_hosts(self) -> tuple[str, ...]:
        value = self.body.get("extra_hosts")
        entries = value if isinstance(value, (list, Mapping)) else ()
        return tuple(re.split(r"[=:]", str(each), maxsplit=1)[0] for each in entries)

    def _privileged(self) -> tuple[Val[str], ...]:
        keys = ("privileged", "devices", "cap_add", "network_mode")
        return tuple(
            Val(key, self.at(key))
            for key in keys
            if self.body.get(key) and (key != "network_mode" or self.body[key] == "host")
        )


def _serves(made: Build) -> bool:
    """Tell whether a build on a datastore's image brings a program of its own."""
    if made.parsed is None or made.stage is None:
        return False
    return made.parsed.cmd(made.stage) is not None and any(
        each.sources == (".",) for each in made.parsed.copies(made.stage)
    )


def _stated(env: Mapping[str, EnvVar], *keys: str) -> Val[str]:
    found = next((env[key] for key in keys if key in env), None)
    return Val(found.value, found.src) if found is not None else ABSENT


def _image_language(image: Val[str]) -> dict[str, Any]:
    found = images.language(image.value, image.src) if image.value else None
    return dict([found]) if found else {}


def jobs(services: Mapping[str, Any]) -> Iterator[str]:
    """Yield the services that others wait for to complete."""
    for body in services.values():
        for name, wait in mapping(mapping(body).get("depends_on")).items():
            if mapping(wait).get("condition") == "service_completed_successfully":
                yield str(name)


def _contains(part: str, text: str) -> bool:
    return part in text
