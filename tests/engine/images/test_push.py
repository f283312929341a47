"""`image.build --push` and `--platform`, into a registry that runs here."""

from __future__ import annotations

import hashlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from stacks import canary, free_port, run_docker, until

if TYPE_CHECKING:
    from stacks import Project

IMAGE = "registry:2"
KINDS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
COMPOSE = "services: {{app: {{image: '{tag}', build: .}}}}\n"
DOCKERFILE = "FROM scratch\nCOPY data /data\n"


class Registry:
    """What a registry on this machine holds, asked as Docker asks."""

    def __init__(self, port: int) -> None:
        self.address = f"localhost:{port}"

    def get(self, path: str) -> tuple[str, bytes]:
        """Return the digest that the registry gives a document, and its bytes."""
        url = f"http://{self.address}/v2/{path}"
        asked = urllib.request.Request(url, headers={"Accept": ", ".join(KINDS)})
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - our own
            return answer.headers.get("Docker-Content-Digest", ""), answer.read()

    def answers(self) -> bool:
        try:
            return bool(self.get(""))
        except OSError:
            return False

    def pushed(self, name: str, tag: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Return digest, manifest and configuration of an image; each is what its digest says."""
        digest, raw = self.get(f"{name}/manifests/{tag}")
        assert digest == f"sha256:{hashlib.sha256(raw).hexdigest()}"
        manifest = json.loads(raw)
        if "manifests" in manifest:  # an index: the attestation beside it has no platform
            own = [m for m in manifest["manifests"] if m["platform"]["os"] != "unknown"]
            assert len(own) == 1
            manifest = json.loads(self.get(f"{name}/manifests/{own[0]['digest']}")[1])
        for layer in (manifest["config"], *manifest["layers"]):
            blob = self.get(f"{name}/blobs/{layer['digest']}")[1]
            assert layer["digest"] == f"sha256:{hashlib.sha256(blob).hexdigest()}"
        return (
            digest,
            manifest,
            json.loads(self.get(f"{name}/blobs/{manifest['config']['digest']}")[1]),
        )


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    if not run_docker("image", "ls", "--quiet", IMAGE):
        required = os.environ.get("ENGINE_TESTS") == "require"
        (pytest.fail if required else pytest.skip)(f"no {IMAGE}: tests/engine/host/images")
    port = free_port()
    words = ("run", "--detach", "--rm", "--publish", f"127.0.0.1:{port}:5000", IMAGE)
    made = run_docker(*words)
    try:
        found = Registry(port)
        until(found.answers, 30, "the registry never answers")
        yield found
    finally:
        run_docker("rm", "--force", "--volumes", made, check=False)


def stack(make: Callable[..., Project], tag: str) -> Project:
    return make(compose=COMPOSE.format(tag=tag), Dockerfile=DOCKERFILE, data=canary())


def test_what_is_pushed_is_what_was_built(
    project: Callable[..., Project], registry: Registry
) -> None:
    name = f"shop-{canary()[-8:]}"
    tag = f"{registry.address}/{name}:v1"
    made = stack(project, tag)

    image = made.inv("image.build", "--push", "--json").ok().document["images"][0]

    assert image["tag"] == tag
    digest, manifest, _ = registry.pushed(name, "v1")
    stored = json.loads(run_docker("image", "inspect", tag))[0]
    assert stored["Id"] in {manifest["config"]["digest"], digest}
    # What others pull is that image, byte for byte.
    run_docker("image", "rm", "--force", tag)
    run_docker("pull", "--quiet", f"{registry.address}/{name}@{digest}")
    pulled = run_docker(
        "image", "inspect", "--format", "{{.Id}}", f"{registry.address}/{name}@{digest}"
    )
    try:
        assert pulled == stored["Id"]
    finally:
        run_docker("image", "rm", "--force", pulled)


@pytest.mark.parametrize("platform", ["linux/arm64", "linux/amd64"])
def test_the_platform_that_was_asked_for_is_the_one_that_arrives(
    project: Callable[..., Project], registry: Registry, platform: str
) -> None:
    name = f"shop-{canary()[-8:]}"
    made = stack(project, f"{registry.address}/{name}:v1")

    made.inv("image.build", "--push", "--platform", platform).ok()

    _, _, config = registry.pushed(name, "v1")
    assert f"{config['os']}/{config['architecture']}" == platform


def test_without_push_nothing_leaves_this_machine(
    project: Callable[..., Project], registry: Registry
) -> None:
    name = f"shop-{canary()[-8:]}"
    stack(project, f"{registry.address}/{name}:v1").inv("image.build").ok()
    with pytest.raises(urllib.error.HTTPError):
        registry.pushed(name, "v1")


def test_a_registry_that_does_not_answer_is_named(project: Callable[..., Project]) -> None:
    address = f"localhost:{free_port()}"
    result = stack(project, f"{address}/shop:v1").inv("image.build", "--push")
    assert result.code == 1
    assert f"pushing {address}/shop:v1" in result.error
    assert "network" in result.hint
