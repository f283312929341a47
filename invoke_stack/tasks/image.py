"""Images: built, weighed, looked into."""

from __future__ import annotations

from typing import Any

from invoke_stack.tasks._task import Run, stack_task

SERVICE = {"service": "Only this service; repeat for more."}


@stack_task(
    json=True,
    iterable=("service",),
    help={
        **SERVICE,
        "cache": "With --no-cache: run every step again.",
        "platform": "For these platforms (linux/amd64,linux/arm64).",
        "push": "Push what was built, to the registry that its name tells.",
    },
)
def build(
    run: Run, service: Any = None, cache: bool = True, platform: str = "", push: bool = False
) -> None:
    """Build the mode's images as Compose would; tell time, size, and what changed."""
    from invoke_stack.images import build as domain
    from invoke_stack.tasks import _show_image

    request = domain.Request(
        tuple(service or ()), cache=cache, platforms=domain.platforms(platform), push=push
    )
    outcome = domain.build(run.project, request, run.console.report)
    run.console.finish()
    _show_image.built(run, outcome)


@stack_task(
    json=True,
    iterable=("service",),
    help={**SERVICE, "compare": "Another tag of the image, or another image."},
)
def size(run: Run, service: Any = None, compare: str = "") -> None:
    """Show what the built images weigh, layer by layer, with the Dockerfile's lines."""
    from invoke_stack.images import size as domain
    from invoke_stack.tasks import _show_image

    found, report = domain.sizes(run.project, tuple(service or ()), compare, run.console.report)
    _show_image.sized(run, found, report)


@stack_task(
    json=True,
    iterable=("service",),
    help={
        **SERVICE,
        "run": "Also run each image for 5 s: read-only root, no capabilities, no network.",
        "format": "text, json, sarif, github or markdown.",
        "fail_on": "Exit 3 from this severity on: error, warning or info.",
    },
)
def check(
    run: Run,
    service: Any = None,
    run_: bool = False,
    format: str = "text",  # noqa: A002 - the flag
    fail_on: str = "error",
) -> None:
    """Look into the built images: user, health check, secrets, caches, migrations, base."""
    from datetime import date

    from invoke_stack.images import check as domain
    from invoke_stack.tasks import _show_image

    request = domain.Request(tuple(service or ()), run=run_)
    gate = _show_image.gate(fail_on, format)
    found = domain.check(run.project, request, date.today(), run.console.report)  # noqa: DTZ011 - the user's day
    _show_image.checked(run, found, format=format, gate=gate)


@stack_task(
    json=True,
    iterable=("service",),
    help={
        **SERVICE,
        "format": "text, json, sarif, github or markdown.",
        "fail_on": "Exit 3 from this severity on: error, warning or info.",
    },
)
def scan(
    run: Run,
    service: Any = None,
    format: str = "text",  # noqa: A002 - the flag
    fail_on: str = "error",
) -> None:
    """Scan the built images with trivy or grype, and their Dockerfiles with hadolint."""
    from invoke_stack.images import scan as domain
    from invoke_stack.tasks import _show_image

    gate = _show_image.gate(fail_on, format)
    found = domain.scan(run.project, tuple(service or ()), run.console.report)
    _show_image.checked(run, found, format=format, gate=gate)


@stack_task(modes=False, json=True, yes=True)
def prune(run: Run) -> None:
    """Remove this project's unnamed images and build cache; no other project's."""
    from invoke_stack.images import prune as domain
    from invoke_stack.tasks import _show_image

    found = domain.find(run.project)
    _show_image.leftovers(run, found)
    if found.images or found.cache:
        run.confirm(f"remove these of {found.project}?")
    freed = domain.remove(run.project, found, run.console.report)
    _show_image.pruned(run, found, freed)
