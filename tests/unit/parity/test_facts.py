"""From a folder to the facts: which files are production, which the local stack."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.errors import UsageError
from invoke_stack.parity import facts
from invoke_stack.parity.declaration import Declaration, Options, Process
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.values import Src, Val
from invoke_stack.parity.workspace import Workspace
from invoke_stack.process import SystemRunner
from invoke_stack.project import Project
from invoke_stack.settings import Source, load

Lay = Callable[[Mapping[str, str]], Project]
RENDER = """\
services:
  - type: web
    name: shop-web
    runtime: docker
    plan: starter
    envVars:
      - key: DATABASE_URL
        sync: false
"""
COMPOSE = """\
services:
  web:
    build: .
  db:
    image: postgres:16
    environment: {POSTGRES_PASSWORD: hunter2}
"""
DOCKERFILE = 'FROM node:20\nCMD ["node", "a.js"]\n'
FILES = {"render.yaml": RENDER, "compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE}


def gathered(project: Project, **parity: Any) -> Facts:
    settings = load([Source("test", {"parity": parity})]) if parity else project.settings
    return facts.gather(replace(project, settings=settings))


def test_a_blueprint_and_a_compose_file_are_found_by_name(lay: Lay) -> None:
    found = gathered(lay(FILES))

    assert (found.production.target, found.production.layers) == ("render", ("render.yaml",))
    assert {name: each.layers for name, each in found.layers.items()} == {"base": ("compose.yaml",)}
    assert [(each.production.name, each.local.name) for each in found.pairing.processes] == [
        ("shop-web", "web")
    ]


def test_a_database_that_only_a_variable_knows_is_external_and_of_unknown_version(lay: Lay) -> None:
    found = gathered(lay(FILES))

    (store,) = found.production.datastores.values()
    assert (store.kind, store.external, store.version.certainty) == ("postgres", True, "unknown")
    assert str(store.src) == "render.yaml:7"
    assert [(each.production.name, each.local.name) for each in found.pairing.datastores] == [
        (store.name, "db")
    ]


OVERRIDE = "services:\n  web:\n    environment: {A: b}\n"


@pytest.mark.parametrize(
    ("more", "layers"),
    [
        ({"compose.dev.yaml": OVERRIDE, "compose.prod.yaml": OVERRIDE},
         {"base": ["compose.yaml"], "dev": ["compose.yaml", "compose.dev.yaml"],
          "prod": ["compose.yaml", "compose.prod.yaml"]}),
        ({"compose.override.yaml": OVERRIDE},
         {"base": ["compose.yaml"], "dev": ["compose.yaml", "compose.override.yaml"]}),
        ({"compose.prod.yaml": COMPOSE}, {"base": ["compose.yaml"], "prod": ["compose.prod.yaml"]}),
        ({"compose.test.yaml": COMPOSE, "examples/compose.yaml": COMPOSE},
         {"base": ["compose.yaml"]}),
    ],
)  # fmt: skip
def test_the_layers_of_the_local_stack(
    lay: Lay, more: Mapping[str, str], layers: Mapping[str, list[str]]
) -> None:
    found = gathered(lay({**FILES, **more}))

    assert {name: list(each.layers) for name, each in found.layers.items()} == layers


def test_of_several_stacks_the_one_that_shares_most_with_production_is_compared(lay: Lay) -> None:
    other = "services:\n  docs:\n    image: nginx\n"
    files = {key: text for key, text in FILES.items() if key != "compose.yaml"}
    found = gathered(
        lay(
            {
                **files,
                "compose.yaml": other,
                "docker/compose.yaml": COMPOSE.replace("build: .", "build: .."),
            }
        )
    )

    assert found.layers["base"].layers == ("docker/compose.yaml",)
    assert [each.files for each in found.stacks] == [("compose.yaml",)]


def test_folders_named_after_modes_are_layers(lay: Lay) -> None:
    files = {
        "render.yaml": RENDER,
        "docker/development/compose.yml": "services:\n  db:\n    image: postgres:16\n",
        "docker/production/compose.yml": "services:\n  web:\n    image: acme/shop:1\n",
    }

    found = gathered(lay(files))

    assert {name: each.layers for name, each in found.layers.items()} == {
        "base": ("docker/development/compose.yml",), "prod": ("docker/production/compose.yml",),
    }  # fmt: skip


def test_settings_name_the_files(lay: Lay) -> None:
    files = {
        "deploy/blueprint.yaml": RENDER,
        "a.yml": COMPOSE,
        "b.yml": OVERRIDE,
        "Dockerfile": DOCKERFILE,
    }

    found = gathered(
        lay(files),
        production={"reader": "render", "files": ["deploy/blueprint.yaml"]},
        local={"base": ["a.yml"], "prod": ["b.yml"]},
    )

    assert found.production.layers == ("deploy/blueprint.yaml",)
    assert found.local.layers == ("a.yml", "b.yml")


@pytest.mark.parametrize(
    ("parity", "message"),
    [
        (
            {"production": {"files": ["none.yaml"]}},
            "stack.parity.production.files: none.yaml does not exist",
        ),
        ({"production": {"reader": "rendr"}}, "stack.parity.production.reader: no reader rendr"),
        ({"local": {"base": ["none.yml"]}}, "stack.parity.local: none.yml does not exist"),
        ({"map": {"shop-web": "wep"}}, "stack.parity.map: no local service of the name wep"),
        ({"readers": ["no.such:Reader"]}, "stack.parity.readers: no.such:Reader: no such object"),
        ({"readers": ["json:dumps"]}, "stack.parity.readers: json:dumps has no name"),
    ],
)
def test_a_setting_that_names_nothing_is_refused(
    lay: Lay, parity: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        gathered(lay(FILES), **parity)

    assert str(caught.value) == message


def test_a_compose_file_on_a_server_is_production_without_a_blueprint(lay: Lay) -> None:
    found = gathered(
        lay(
            {
                "docker-compose.yml": COMPOSE,
                "docker-compose.prod.yml": COMPOSE,
                "Dockerfile": DOCKERFILE,
            }
        )
    )

    assert (found.production.target, found.production.side) == ("compose", "production")
    assert found.production.layers == ("docker-compose.prod.yml",)
    assert found.local.layers == ("docker-compose.yml",)


def test_production_as_an_override_is_read_with_its_base(lay: Lay) -> None:
    found = gathered(
        lay({"compose.yml": COMPOSE, "compose.prod.yml": OVERRIDE, "Dockerfile": DOCKERFILE})
    )

    assert found.production.layers == ("compose.yml", "compose.prod.yml")


def test_without_a_description_of_production_there_is_nothing_to_compare(lay: Lay) -> None:
    with pytest.raises(UsageError, match="nothing here describes production"):
        gathered(lay({"compose.yaml": COMPOSE}))


def test_without_a_local_stack_there_is_nothing_to_compare(lay: Lay) -> None:
    with pytest.raises(UsageError, match="no local stack to compare with"):
        gathered(lay({"render.yaml": RENDER}))


def test_the_app_on_the_host_stands_for_the_service_that_the_stack_lacks(lay: Lay) -> None:
    files = {
        "render.yaml": RENDER.replace("docker", "node"),
        "compose.yaml": "services:\n  db:\n    image: postgres:16\n",
        "package.json": '{"scripts": {"dev": "next dev"}}',
        ".env.example": "DATABASE_URL=postgresql://localhost:5432/x\n",
        ".env.production.example": "ONLY_THERE=1\n",
    }

    web = gathered(lay(files)).local.processes["shop-web"]

    assert (web.host_run, str(web.src)) == (True, "package.json:1")
    assert list(web.env) == ["DATABASE_URL"]


class Fly:
    """What a project's own reader looks like."""

    name = "fly"

    def detect(self, workspace: Workspace) -> tuple[str, ...]:
        return workspace.named("fly.toml")

    def read(self, workspace: Workspace, files: tuple[str, ...], options: Options) -> Declaration:
        assert workspace.has(files[0])
        src = Src(files[0], 1)
        web = Process("web", "web", Val("docker", src), src)
        return Declaration(options.side, self.name, files, {"web": web})


def test_a_project_s_own_reader_reads_production(lay: Lay) -> None:
    files = {"fly.toml": "app = 'web'\n", "compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE}

    found = gathered(lay(files), readers=[Fly()])

    assert (found.production.target, list(found.production.processes)) == ("fly", ["web"])


def test_other_descriptions_of_production_are_named(lay: Lay) -> None:
    found = gathered(
        lay({**FILES, "fly.toml": "", "docker-compose.prod.yml": COMPOSE.replace("web", "site")})
    )

    assert {each.reader for each in found.targets} == {"fly", "compose"}


def test_the_document_holds_no_secret_and_no_digest(lay: Lay) -> None:
    found = gathered(lay(FILES))
    text = json.dumps(facts.document(found))
    mask = found.local.datastores["db"].env["POSTGRES_PASSWORD"].masked

    assert mask is not None
    assert '"masked": true, "length": 7' in text
    assert "hunter2" not in text + repr(found)
    assert mask.digest not in text
    assert json.loads(text)["schema"] == 1


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_what_git_ignores_is_not_there(lay: Lay, tmp_path: Path) -> None:
    project = lay(
        {**FILES, ".gitignore": "dist\n", "dist/a.js": "", "src/a.js": "", ".env": "A=b\n"}
    )
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    project = replace(project, runner=SystemRunner(dict(os.environ)), environ=dict(os.environ))

    seen = Workspace(project)

    assert seen.has("src/a.js")
    assert seen.has("src")
    assert not seen.has("dist")
    assert not seen.has(".env")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_committed_env_file_is_there(lay: Lay, tmp_path: Path) -> None:
    project = lay({".env": "A=b\n"})
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", ".env"], check=True)

    project = replace(project, runner=SystemRunner(dict(os.environ)), environ=dict(os.environ))

    assert Workspace(project).has(".env")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../x", "../x: lies outside the project"),
        ("/etc/passwd", "/etc/passwd: lies outside the project"),
        ("out.yaml", "out.yaml: is a link to outside the project"),
        ("loop.yaml", "loop.yaml: cannot be read: a circle of links"),
        ("none.yaml", "none.yaml: cannot be read: no such file or directory"),
        ("latin.yaml", "latin.yaml:2: not UTF-8"),
        ("large.yaml", "large.yaml: larger than 2 MB"),
        ("folder", "folder: not a file"),
    ],
)
def test_what_is_not_a_text_of_the_project_is_not_read(
    lay: Lay, tmp_path: Path, name: str, message: str
) -> None:
    seen = Workspace(lay({"a": ""}))
    (tmp_path / "out.yaml").symlink_to("/etc/hostname")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a\n\xff\n")
    (tmp_path / "large.yaml").write_text("#" * (2 * 1024 * 1024 + 1))
    (tmp_path / "folder").mkdir()

    with pytest.raises(UsageError) as caught:
        seen.text(name)

    assert str(caught.value).casefold() == message.casefold()


def test_nothing_depends_on_the_current_folder(lay: Lay, tmp_path: Path) -> None:
    project = lay(FILES)
    here = Path.cwd()
    try:
        os.chdir(tmp_path / "..")
        one = json.dumps(facts.document(gathered(project)))
        os.chdir("/")
        other = json.dumps(facts.document(gathered(project)))
    finally:
        os.chdir(here)

    assert one == other
