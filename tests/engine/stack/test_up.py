"""`stack.up` where all goes well: once, again, elsewhere, and with a single env file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stacks import Project

ONE_SHOT = """
services:
  migrate:
    image: redis:7-alpine
    command: ["sh", "-c", "echo migrated"]
  app:
    image: redis:7-alpine
    depends_on:
      migrate:
        condition: service_completed_successfully
"""
DOUBLED = {
    "compose": """
services:
  app:
    image: redis:7-alpine
    ports: ["${A_PORT}:6379"]
""",
    "compose.prod.yaml": """
services:
  app:
    ports: ["${B_PORT}:6379"]
""",
}
SENT = {
    "STRIPE_SECRET_KEY": "not $REAL, 'quoted' # \\n and \"spaced\"  ",
    "RESEND_API_KEY": "x=y=z",
    "EMPTY": "",
}


def assignments(project: Project) -> dict[str, str]:
    lines = (project.folder / ".env.local").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def change(project: Project, key: str, value: str) -> None:
    path = project.folder / ".env.local"
    changed = [
        f"{key}={value}" if line.startswith(f"{key}=") else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(changed) + "\n")


def digests(project: Project, *keys: str) -> dict[str, str | None]:
    found: dict[str, str | None] = project.get("WEB_PORT", f"/api/env?keys={','.join(keys)}")[1]
    return found


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def hybrid(shared_project: Callable[..., Project]) -> Project:
    project = shared_project("hybrid")
    project.up()
    return project


def test_a_second_up_recreates_and_restarts_nothing(hybrid: Project) -> None:
    before = hybrid.identities()
    override = (hybrid.folder / ".invoke-stack" / "override.yml").read_bytes()
    hybrid.up()
    assert hybrid.identities() == before
    assert (hybrid.folder / ".invoke-stack" / "override.yml").read_bytes() == override


def test_up_from_a_sub_folder_finds_the_same_project(hybrid: Project) -> None:
    before = hybrid.identities()
    hybrid.inv("stack.up", folder="src").ok()
    assert hybrid.identities() == before
    listed = hybrid.inv("stack.ps", "--json", folder="docker").ok().document
    assert listed["project"] == hybrid.name
    assert len(listed["services"]) == len(before)


def test_nothing_of_the_env_stays_in_the_state_folder_after_up(hybrid: Project) -> None:
    hybrid.up()
    folder = hybrid.folder / ".invoke-stack"
    kept = {path.name for path in folder.iterdir()}
    assert not any(name.endswith(".env") for name in kept)
    for path in folder.iterdir():
        text = path.read_text()
        assert not any(secret in text for secret in hybrid.secrets.values()), path
        assert path.stat().st_mode & 0o077 == 0, path


def test_recreate_makes_new_containers_on_request(hybrid: Project) -> None:
    before = hybrid.identities()
    hybrid.up("--recreate", "-s", "web")
    after = hybrid.identities()
    assert after["web"] != before["web"]
    assert after["pgadmin"] == before["pgadmin"]


def test_a_dry_up_prints_the_plan_and_changes_nothing(project: Callable[..., Project]) -> None:
    hybrid = project("hybrid")
    result = hybrid.inv("--dry", "stack.up").ok()
    assert "docker compose" in result.stderr
    assert " up --detach" in result.stderr
    assert hybrid.containers() == {}
    assert hybrid.listed("image", "ls") == []
    assert not (hybrid.folder / ".invoke-stack").exists()


def test_prod_hands_every_key_of_the_single_env_file_to_the_container(
    project: Callable[..., Project], port: Callable[[], int]
) -> None:
    hybrid = project("hybrid")
    quoted = SENT["STRIPE_SECRET_KEY"].replace("'", "\\'")
    path = hybrid.folder / ".env.local"
    hybrid.write(
        ".env.local",
        f"{path.read_text()}STRIPE_SECRET_KEY='{quoted}'\n"
        f"RESEND_API_KEY={SENT['RESEND_API_KEY']}\nEMPTY=\n",
    )
    hybrid.up("--prod")
    expected = {**assignments(hybrid), **SENT}
    assert {"POSTGRES_PASSWORD", "WEB_PORT", "FEATURE_GREETING"} <= set(expected)
    assert digests(hybrid, *expected) == {key: digest(text) for key, text in expected.items()}
    assert set(hybrid.containers()) == {"postgres", "redis", "web"}
    assert digests(hybrid, "NODE_ENV")["NODE_ENV"] == digest("production")


def test_prod_follows_a_changed_port_and_password_of_the_single_env_file(
    project: Callable[..., Project], port: Callable[[], int], docker: Callable[..., str]
) -> None:
    hybrid = project("hybrid")
    hybrid.up("--prod")
    before, old = hybrid.identities(), hybrid.ports["WEB_PORT"]

    hybrid.ports["WEB_PORT"] = port()
    change(hybrid, "WEB_PORT", str(hybrid.ports["WEB_PORT"]))
    hybrid.up("--prod")
    after = hybrid.identities()
    assert after["web"] != before["web"]
    assert (after["postgres"], after["redis"]) == (before["postgres"], before["redis"])
    published = {
        each["published"]
        for service in hybrid.inv("stack.ps", "--json").document["services"]
        for each in service["ports"]
        if service["name"] == "web"
    }
    assert published == {hybrid.ports["WEB_PORT"]} != {old}

    # A database keeps the password that its volume was made with.
    hybrid.inv("stack.down", "--volumes", "--no-backup", "--yes").ok()
    first = hybrid.secrets["POSTGRES_PASSWORD"]
    hybrid.secrets["POSTGRES_PASSWORD"] = first[::-1]
    change(hybrid, "POSTGRES_PASSWORD", first[::-1])
    hybrid.up("--prod")
    assert hybrid.get("WEB_PORT")[0] == 200
    url = f"postgresql://hybrid:{first[::-1]}@postgres:5432/hybrid?schema=public"
    assert digests(hybrid, "DATABASE_URL") == {"DATABASE_URL": digest(url)}
    login = ("psql", "-h", "postgres", "-U", "hybrid", "-c", "SELECT 1")
    container = hybrid.containers()["postgres"].id
    refused = docker("exec", "--env", f"PGPASSWORD={first}", container, *login, check=False)
    assert "1 row" not in refused
    assert "1 row" in docker("exec", "--env", f"PGPASSWORD={first[::-1]}", container, *login)


def test_a_one_shot_service_that_exits_0_is_success(project: Callable[..., Project]) -> None:
    stack = project(compose=ONE_SHOT)
    result = stack.up()
    assert "migrate: done" in result.stderr
    states = {name: each.state for name, each in stack.containers().items()}
    assert states == {"migrate": "exited", "app": "running"}


def test_an_override_that_adds_a_port_instead_of_replacing_it_is_warned_about(
    project: Callable[..., Project], port: Callable[[], int]
) -> None:
    stack = project(**DOUBLED)
    first, second = sorted((port(), port()))
    stack.environ |= {"A_PORT": str(first), "B_PORT": str(second)}
    result = stack.up("--prod")
    assert f"container port 6379 is published on {first} and {second}" in result.stderr
    assert f'in compose.prod.yaml: ports: !override ["{second}:6379"]' in result.stderr


def test_only_the_chosen_service_and_what_it_needs_are_started(
    project: Callable[..., Project],
) -> None:
    stack = project("backend")
    stack.up("-s", "db")
    assert set(stack.containers()) == {"db"}


def test_up_in_json_is_one_document_without_any_other_text(hybrid: Project) -> None:
    document = hybrid.up("--json").document
    assert document["schema"] == 1
    assert (document["project"], document["mode"]) == (hybrid.name, "dev")
    assert {each["service"] for each in document["urls"]} == set(hybrid.containers())
