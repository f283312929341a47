"""`image.check` on real images: a good one is clean, and each broken one has one finding."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import shops
from stacks import canary, run_docker

if TYPE_CHECKING:
    from stacks import Project

VARIANTS = sorted(shops.variants("", "", ""))


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """Build the small base image; both of its names are gone afterwards."""
    name = f"it-tiny-{canary()[-8:]}"
    words = ["docker", "build", "-q", "-t", f"{name}:22-tiny", "-t", f"{name}:latest", "-"]
    subprocess.run(words, input=shops.TINY, text=True, check=True, capture_output=True)
    yield name
    run_docker("image", "rm", "--force", f"{name}:22-tiny", f"{name}:latest", check=False)


@pytest.fixture(scope="module")
def shop(shared_project: Callable[..., Project], base: str) -> Project:
    """Build the good shop and every broken one, all in one run."""
    key, npm = shops.token("sk", "_live_"), canary()
    database = f"postgresql://shop:{canary()}@db:5432/shop"
    found = shops.variants(base, key, npm)
    files = shops.files() | {".env.production": f"DATABASE_URL={database}\n"}
    services: dict[str, dict[str, object]] = {"good": {}}
    for name, each in found.items():
        files |= each.extra
        files[f"Dockerfile.{name}"] = each.edit(shops.DOCKERFILE.format(base=f"{base}:22-tiny"))
        kept = [
            line
            for line in files[".dockerignore"].splitlines()
            if not any(path.startswith(line.rstrip("*")) for path in each.extra)
            and not (line == "*.pem" and "tls.pem" in each.extra)
        ]
        files[f"Dockerfile.{name}.dockerignore"] = "\n".join([*kept, ".env.production", ""])
        services[name] = {"dockerfile": f"Dockerfile.{name}", **each.build}
    project = shared_project(compose=shops.compose(services), **files)
    project.secrets |= {"key": key, "npm": npm, "database": database}
    project.inv("image.build", "--prod", timeout=300).ok()
    return project


@pytest.fixture(scope="module")
def findings(shop: Project) -> dict[str, list[Any]]:
    """Check all of them at once; findings by service."""
    result = shop.inv("image.check", "--prod", "--json", timeout=300)
    assert result.code == 3, result.text
    found: dict[str, list[Any]] = {}
    for each in result.document["findings"]:
        found.setdefault(each["subject"], []).append(each)
    return found


def test_the_multi_stage_image_is_clean(findings: dict[str, list[Any]]) -> None:
    assert findings.get("good", []) == []


@pytest.mark.parametrize("name", VARIANTS)
def test_a_broken_image_has_its_finding_and_no_other(
    findings: dict[str, list[Any]], name: str
) -> None:
    expected = shops.variants("", "", "")[name].rule
    assert [each["rule"] for each in findings.get(name, [])] == [expected]


def test_findings_stand_at_the_dockerfile_line_that_made_them(
    shop: Project, findings: dict[str, list[Any]]
) -> None:
    for name, text in (
        ("env", "COPY .env.local"),
        ("deleted", "COPY npmrc"),
        ("cache", "RUN mkdir -p /root/.npm"),
        ("environment", "ENV PAYMENT_SECRET"),
        ("argument", "ARG DATABASE_URL"),
        ("openssl", "COPY --from=deps /app/node_modules/.prisma"),
    ):
        place = findings[name][0]["where"][0]
        line = (shop.folder / place["file"]).read_text().splitlines()[place["line"] - 1]
        assert line.startswith(text), name


def test_an_accepted_finding_is_shown_with_its_reason_and_does_not_fail(
    shop: Project, findings: dict[str, list[Any]]
) -> None:
    text = (shop.folder / "Dockerfile.probe").read_text()
    reason = "# image: ignore[IMG103] -- the host brings its own probe\n"
    shop.write("Dockerfile.probe", text.replace("HEALTHCHECK", f"{reason}HEALTHCHECK"))
    shop.inv("image.build", "--prod", "-s", "probe").ok()
    document = shop.inv("image.check", "--prod", "-s", "probe", "--json").ok().document
    assert document["findings"] == []
    assert document["suppressed"][0]["reason"] == "the host brings its own probe"


def test_every_format_can_be_written_and_the_gate_moves(shop: Project) -> None:
    words = ("image.check", "--prod", "-s", "unchecked")
    assert shop.inv(*words).code == 0
    strict = shop.inv(*words, "--fail-on", "warning", "--format", "github")
    assert strict.code == 3
    assert "::warning file=Dockerfile.unchecked" in strict.stdout
    assert shop.inv(*words, "--fail-on", "fatal").code == 2


def test_a_secret_of_the_project_is_found_wherever_a_layer_holds_it(
    project: Callable[..., Project], base: str
) -> None:
    secret = canary()
    stack = project(
        compose="services: {app: {build: .}}\n",
        Dockerfile=f"FROM {base}:22-tiny\nCOPY big /data/big\nRUN rm -r /data\n",
        big="x" * 3_000_000 + secret + "y" * 100,
        **{".env": f"AUTH_SECRET={secret}\n"},
    )
    stack.secrets["auth"] = secret
    stack.inv("image.build").ok()
    result = stack.inv("image.check", "--json")
    assert result.code == 3
    found = [each for each in result.document["findings"] if each["severity"] == "error"]
    assert [each["rule"] for each in found] == ["IMG113"]
    assert "the value of AUTH_SECRET, which a later layer deletes" in found[0]["message"]
    assert found[0]["where"][0] == {"side": "image", "file": "Dockerfile", "line": 2}


def test_what_an_image_does_hardened_is_tried(project: Callable[..., Project], base: str) -> None:
    starts = {
        "calm": "",
        "writer": "echo x > /state/x && ",
        "ends": "exit 4; ",
    }
    files = {
        f"Dockerfile.{name}": f"FROM {base}:22-tiny\nRUN mkdir -m 777 /state\nUSER 1000\n"
        f'CMD ["sh", "-c", "{first}exec sleep 60"]\n'
        for name, first in starts.items()
    }
    services = {name.partition(".")[2]: {"dockerfile": name} for name in files}
    stack = project(compose=shops.compose(services), **files)
    stack.inv("image.build").ok()
    result = stack.inv("image.check", "--run", "--json")
    assert result.code == 3
    hardened = [each for each in result.document["findings"] if each["rule"] == "IMG118"]
    assert [each["subject"] for each in hardened] == ["writer"]
    assert "tmpfs: [/state]" in hardened[0]["fix"]
    unknown = [each["subject"] for each in result.document["unknowns"]]
    assert unknown == ["ends"]
    assert run_docker("ps", "--all", "--quiet", "--filter", "name=image-check") == ""
