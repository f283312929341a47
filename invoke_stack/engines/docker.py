"""The Docker Engine, read over its API. Changes go through Compose; this only looks.

The SDK is imported when the engine is opened: it costs a few tenths of a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import Any

from invoke_stack.compose.model import HealthCheck
from invoke_stack.engines import containers, endpoint
from invoke_stack.engines.containers import Container, Volume
from invoke_stack.engines.endpoint import Endpoint
from invoke_stack.engines.engine import EngineName
from invoke_stack.errors import StackError, UnreachableError, UsageError
from invoke_stack.project import Project

START_INTERVAL_API = (1, 44)
"""The first engine API that probes faster while a service starts (Docker Engine 25)."""

TIMEOUT_S = 20
ARCHIVE_TIMEOUT_S = 600
_CHUNK = 1 << 20


class Docker:
    """An open connection to a Docker Engine."""

    name: EngineName = "docker"

    def __init__(self, where: Endpoint, api: Any) -> None:
        self.endpoint = where
        self._api = api

    @property
    def api_version(self) -> tuple[int, ...]:
        """The API version that both sides speak."""
        return tuple(int(part) for part in str(self._api.api_version).split("."))

    @property
    def probes_early(self) -> bool:
        """Whether the engine knows `start_interval`."""
        return self.api_version >= START_INTERVAL_API

    def containers(self, project: str, *, oneoff: bool = False) -> tuple[Container, ...]:
        """Return the containers of a Compose project, running or not, sorted by service."""
        found = [each for each in self._listed(project) if oneoff or not each.oneoff]
        return tuple(sorted(found, key=lambda each: (each.service, each.name)))

    def publishers(self) -> tuple[Container, ...]:
        """Return every running container of the engine that publishes a port."""
        listed = self._api.containers(filters={"status": "running"})
        busy = [each["Id"] for each in listed if _publishes(each)]
        return tuple(self._inspected(busy))

    def image_check(self, image: str) -> HealthCheck | None:
        """Return the timing of an image's own health check, or None without one."""
        document = self._image(image) or {}
        return containers.check((document.get("Config") or {}).get("Healthcheck"))

    def image_id(self, image: str) -> str:
        """Return the identity of a stored image, or "" when the engine does not have it."""
        return str((self._image(image) or {}).get("Id") or "")

    def image(self, image: str) -> dict[str, Any] | None:
        """Return what the engine says about a stored image, or None when it has none."""
        return self._image(image)

    def history(self, image: str) -> tuple[dict[str, Any], ...]:
        """Return the steps that an image was made by, the last one first."""
        return tuple(dict(each) for each in self._api.history(image))

    def archive(self, image: str) -> Iterator[bytes]:
        """Yield the parts of an image as `docker save` writes it."""
        # The engine gathers the layers before it sends the first byte.
        answer = self._asked(f"images/{image}/get", timeout=ARCHIVE_TIMEOUT_S, stream=True)
        with answer:
            yield from answer.iter_content(_CHUNK)

    def dangling(self, project: str) -> tuple[dict[str, Any], ...]:
        """Return the images of a Compose project that lost their name to a newer build."""
        label = f"{containers.PROJECT}={project}"
        listed = self._api.images(all=False, filters={"dangling": True, "label": label})
        return tuple(dict(each) for each in listed)

    def users(self) -> dict[str, tuple[str, ...]]:
        """Return for each image's id the containers made of it, stopped ones and others' too."""
        found: dict[str, list[str]] = {}
        for each in self._api.containers(all=True):
            names = each.get("Names") or (str(each["Id"])[:12],)
            found.setdefault(str(each.get("ImageID")), []).append(str(names[0]).lstrip("/"))
        return {image: tuple(sorted(names)) for image, names in found.items()}

    def build_cache(self) -> tuple[dict[str, Any], ...]:
        """Return the records of the build cache, of every project."""
        # The SDK's own call has the engine measure every volume and container first.
        answer = self._asked("system/df?type=build-cache", timeout=ARCHIVE_TIMEOUT_S)
        return tuple(dict(each) for each in answer.json().get("BuildCache") or ())

    def logs(self, container: str, lines: int, *, since: float = 0.0) -> str:
        """Return the last lines that a container wrote, since an epoch time of the engine."""
        begin = int(since) or None
        raw = self._api.logs(container, tail=lines, stdout=True, stderr=True, since=begin)
        return bytes(raw).decode(errors="replace").rstrip()

    def environment(self, container: str) -> dict[str, str]:
        """Return the environment that a container was made with; it may hold secrets."""
        config = self._api.inspect_container(container).get("Config") or {}
        return dict(str(pair).partition("=")[::2] for pair in config.get("Env") or ())

    def mounted(self, container: str, folder: str) -> tuple[str, str]:
        """Return where the volume is mounted that has a folder, and its name; "" for none."""
        found = self._api.inspect_container(container).get("Mounts") or ()
        volumes = {each["Destination"]: each["Name"] for each in found if each["Type"] == "volume"}
        holding = [each for each in volumes if PurePosixPath(folder).is_relative_to(each)]
        mount = max(holding, key=len, default="")
        return mount, volumes.get(mount, "")

    def addresses(self, container: str) -> tuple[str, ...]:
        """Return a container's own addresses in the networks of the engine."""
        settings = self._api.inspect_container(container).get("NetworkSettings") or {}
        networks = (settings.get("Networks") or {}).values()
        return tuple(str(each["IPAddress"]) for each in networks if each.get("IPAddress"))

    def command(self, container: str) -> tuple[str, ...]:
        """Return the command line that a container was started with; it may hold secrets."""
        found = self._api.inspect_container(container)
        return tuple(map(str, (found.get("Path") or "", *(found.get("Args") or ()))))

    def volumes(self, project: str) -> tuple[Volume, ...]:
        """Return a project's named volumes with their sizes."""
        label = {"label": f"{containers.PROJECT}={project}"}
        names = {each["Name"] for each in self._api.volumes(filters=label)["Volumes"] or ()}
        if not names:
            return ()
        used = self._api.df().get("Volumes") or ()
        sizes = {each["Name"]: (each.get("UsageData") or {}).get("Size", -1) for each in used}
        return tuple(Volume(name, int(sizes.get(name, -1))) for name in sorted(names))

    def programs(self, container: str) -> Path | None:  # noqa: ARG002 - another engine asks
        """Return None: the clients are inside the container."""
        return None

    def address(self, container: str) -> Mapping[str, str]:  # noqa: ARG002 - another engine asks
        """Return nothing: inside the container the clients' own defaults reach the server."""
        return {}

    def info(self) -> dict[str, Any]:
        """Return what the engine says about itself and its machine."""
        return dict(self._api.info())

    def data_folder(self) -> Path | None:
        """Return where a local engine keeps its data, if that folder is on this machine."""
        named = self.info().get("DockerRootDir") if self.endpoint.local else ""
        folder = Path(str(named))
        return folder if named and folder.is_dir() else None

    def _asked(self, path: str, *, timeout: int, stream: bool = False) -> Any:
        """Ask what the SDK has no call for, or none with a time of its own."""
        address = f"{self._api.base_url}/v{self._api.api_version}/{path}"
        answer = self._api.get(address, timeout=timeout, stream=stream)
        answer.raise_for_status()
        return answer

    def _listed(self, project: str) -> Iterator[Container]:
        label = {"label": f"{containers.PROJECT}={project}"}
        listed = self._api.containers(all=True, filters=label)
        yield from self._inspected([each["Id"] for each in listed])

    def _inspected(self, ids: list[str]) -> Iterator[Container]:
        from docker.errors import NotFound

        for each in ids:
            try:
                yield containers.from_inspect(self._api.inspect_container(each))
            except NotFound:  # removed between the two calls
                continue

    def _image(self, image: str) -> dict[str, Any] | None:
        from docker.errors import (
            APIError,
            NotFound,
        )  # `ImageNotFound` hangs on Docker's own wording

        try:
            return dict(self._api.inspect_image(image))
        except NotFound:
            return None
        except APIError as problem:
            if problem.status_code != HTTPStatus.BAD_REQUEST:
                raise
            said = str(problem.explanation).removeprefix("invalid reference format: ")
            hint = "correct `image:` in the compose file, or the variables in it"
            raise UsageError(f"image {image}", said, hint=hint) from problem


def load() -> None:
    """Import the SDK: a tenth of a second that can be spent while something else runs."""
    import docker.errors
    import requests

    _ = docker.errors, requests


def _publishes(listed: Mapping[str, Any]) -> bool:
    return any(port.get("PublicPort") for port in listed.get("Ports") or ())


def prepared(project: Project) -> Endpoint:
    """Return the engine's endpoint and load what `connect` needs: for a thread of its own."""
    load()
    return endpoint.find(project)


@contextmanager
def connect(
    project: Project, *, timeout_s: int = TIMEOUT_S, where: Endpoint | None = None
) -> Iterator[Docker]:
    """Open the engine that the Docker CLI would use.

    Args:
        project: whose environment and runner decide which engine that is.
        timeout_s: how long one answer may take; an engine can hang with its socket open.
        where: the endpoint, where it is known already.

    Raises:
        UnreachableError: no engine answers there.
        StackError: the engine refused a request later on.
    """
    where = where or endpoint.find(project)
    import docker.errors
    import requests

    try:
        api = _client(where, timeout_s)
    except (docker.errors.DockerException, requests.RequestException, OSError) as problem:
        raise unreachable(where, str(problem)) from problem
    try:
        yield Docker(where, api)
    except docker.errors.APIError as problem:
        said = str(problem.explanation or problem)
        raise StackError("docker", said, hint="see how the engine is: docker info") from problem
    except (docker.errors.DockerException, requests.RequestException) as problem:
        raise unreachable(where, str(problem)) from problem
    finally:
        api.close()


def _client(where: Endpoint, timeout_s: int) -> Any:
    import docker
    from docker.tls import TLSConfig

    tls: Any = False
    if where.tls is not None:
        pair = (str(where.tls / "cert.pem"), str(where.tls / "key.pem"))
        tls = TLSConfig(client_cert=pair, ca_cert=str(where.tls / "ca.pem"), verify=where.verify)
    # Over SSH the user's own client is used: it knows the keys, aliases and jump hosts.
    return docker.APIClient(
        base_url=where.url, version="auto", timeout=timeout_s, tls=tls, use_ssh_client=True
    )


def unreachable(where: Endpoint, reason: str) -> UnreachableError:
    """Return the error for an engine that does not answer, with the likely next step."""
    if "permission denied" in reason.casefold():
        return UnreachableError(
            "docker",
            f"this user may not talk to the engine at {where.url}",
            hint="sudo usermod -aG docker $USER, then log in again",
        )
    hint = "start Docker Desktop, or: sudo systemctl start docker"
    if where.local and not where.context:
        hint += "; DOCKER_HOST names this engine, for the default one: unset DOCKER_HOST"
    if not where.local:
        hint = f"check that {where.url} is up, or choose another engine: docker context use default"
    return UnreachableError("docker", f"no engine answers at {where.url}", hint=hint)
