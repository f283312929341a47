"""`env.diff`: keys and same or not, never a value."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from invoke_stack.environment import difference
from invoke_stack.errors import UsageError
from invoke_stack.project import Project

Make = Callable[..., Project]


def test_two_modes_differ_in_keys_and_values(make_project: Make) -> None:
    files = {
        ".env": "A=1\nB=2\n",
        ".env.development": "ONLY_DEV=1\nB=3\n",
        ".env.production": "ONLY_PROD=1\n",
    }

    (found,) = difference.modes(make_project(files=files, environ={"A": "x"}), "dev", "production")

    assert (found.left, found.right) == ("dev", "prod")
    assert found.keys == {
        "A": "same",
        "B": "differs",
        "NODE_ENV": "differs",
        "ONLY_DEV": "left",
        "ONLY_PROD": "right",
    }


def test_the_document_holds_no_value(make_project: Make) -> None:
    files = {".env": "A=hunter2canary\n", ".env.production": "A=hunter2other\n"}

    (found,) = difference.modes(make_project(files=files), "dev", "prod")

    assert "hunter2" not in str(found.document())


def test_an_unknown_mode_is_refused(make_project: Make) -> None:
    with pytest.raises(UsageError, match="no such mode"):
        difference.modes(make_project(files={".env": "A=1\n"}), "dev", "nowhere")


def test_the_env_is_compared_with_its_template(make_project: Make) -> None:
    files = {
        ".env.example": "A=1\nB=\nNEW=x\n",
        ".env": "A=1\nB=2\nOLD=1\n",
        "web/.env.example": "C=1\n",
        "web/.env": "C=1\n",
    }

    root, web = difference.template(make_project(files=files))

    states = {key: state for key, state in root.keys.items() if key != "NODE_ENV"}
    assert states == {"A": "same", "B": "differs", "NEW": "right", "OLD": "left"}
    assert (web.folder, web.keys["C"]) == ("web", "same")


def test_without_a_template_the_next_step_is_named(make_project: Make) -> None:
    with pytest.raises(UsageError, match="no env template"):
        difference.template(make_project(files={".env": "A=1\n"}))


def test_the_env_is_compared_with_render_yaml(make_project: Make) -> None:
    blueprint = (
        "services:\n  - type: web\n    name: w\n    envVars:\n"
        "      - key: A\n        value: true\n      - key: SECRET\n        generateValue: true\n"
        "      - fromGroup: shared\n      - key: GONE\n        sync: false\n"
        "envVarGroups:\n  - name: shared\n    envVars:\n      - key: G\n        value: 1\n"
    )
    files = {".env": "A=true\nSECRET=x\nMINE=1\nG=2\n", "render.yaml": blueprint}

    (found,) = difference.render(make_project(files=files))

    states = {key: state for key, state in found.keys.items() if key != "NODE_ENV"}
    assert states == {
        "A": "same",
        "G": "differs",
        "GONE": "right",
        "MINE": "left",
        "SECRET": "both",
    }


@pytest.mark.parametrize("text", ["- 1\n", "services: 5\n", "null\n", "services: [1, {}]\n"])
def test_a_strange_render_yaml_declares_nothing(make_project: Make, text: str) -> None:
    (found,) = difference.render(make_project(files={".env": "A=1\n", "render.yaml": text}))

    assert found.keys["A"] == "left"


def test_a_broken_render_yaml_is_an_error_without_its_text(make_project: Make) -> None:
    with pytest.raises(UsageError, match="broken YAML"):
        difference.render(make_project(files={".env": "A=1\n", "render.yaml": "services: [\n"}))


def test_a_missing_render_yaml_is_an_error(make_project: Make) -> None:
    with pytest.raises(UsageError, match=r"no render\.yaml here"):
        difference.render(make_project(files={".env": "A=1\n"}))
