"""Which engine the Docker CLI talks to; the SDK is told the same, because it ignores contexts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from invoke_stack.errors import UnreachableError
from invoke_stack.process import Command
from invoke_stack.project import Project
from invoke_stack.redaction import is_sensitive

CONTEXT = Command(("docker", "context", "inspect"), effect="read")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the engine listens.

    Attributes:
        url: `unix://…`, `npipe://…`, `tcp://…` or `ssh://…`.
        context: the Docker context's name, or "" when `DOCKER_HOST` decided.
        tls: folder with `ca.pem`, `cert.pem`, `key.pem`, or None.
        verify: check the engine's certificate.
    """

    url: str
    context: str = ""
    tls: Path | None = None
    verify: bool = True

    @property
    def local(self) -> bool:
        """Whether the engine's published ports are this machine's."""
        return urlsplit(self.url).scheme in {"unix", "npipe"}

    @property
    def host(self) -> str:
        """The host name under which published ports are reached from here."""
        return "localhost" if self.local else urlsplit(self.url).hostname or "localhost"


def find(project: Project) -> Endpoint:
    """Return the engine's endpoint as the Docker CLI resolves it.

    Raises:
        UsageError: there is no `docker` program.
        UnreachableError: the chosen context does not exist.
    """
    host = project.environ.get("DOCKER_HOST")
    if host:
        if is_sensitive("DOCKER_HOST", host):
            project.secrets.learn([host])
        verify = bool(project.environ.get("DOCKER_TLS_VERIFY"))
        return Endpoint(host, tls=_certificates(project.environ) if verify else None)
    done = project.runner.capture(CONTEXT, timeout_s=20)
    if done.code != 0:
        raise UnreachableError(
            "docker context",
            (done.stderr.strip().splitlines() or ["cannot be read"])[-1],
            hint="docker context ls shows which there are; unset DOCKER_CONTEXT for the default",
        )
    try:
        return from_context(json.loads(done.stdout)[0])
    except (ValueError, LookupError, AttributeError, TypeError) as problem:
        hint = "check which docker comes first on PATH: docker context inspect"
        message = "its description is not readable"
        raise UnreachableError("docker context", message, hint=hint) from problem


def _certificates(environ: Mapping[str, str]) -> Path:
    named = environ.get("DOCKER_CERT_PATH") or environ.get("DOCKER_CONFIG")
    home = environ.get("HOME") or environ.get("USERPROFILE", "")
    return Path(named) if named else Path(home) / ".docker"


def from_context(document: Mapping[str, Any]) -> Endpoint:
    """Return the endpoint in one entry of `docker context inspect`."""
    docker = (document.get("Endpoints") or {}).get("docker") or {}
    storage = (document.get("Storage") or {}).get("TLSPath") or ""
    folder = Path(storage) / "docker"
    return Endpoint(
        url=str(docker.get("Host") or "unix:///var/run/docker.sock"),
        context=str(document.get("Name") or ""),
        tls=folder if storage and folder.is_dir() else None,
        verify=not docker.get("SkipTLSVerify"),
    )
