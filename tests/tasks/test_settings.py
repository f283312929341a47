from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

SERVICES: dict[str, Any] = {
    "web": {"build": "."},
    "pg": {"image": "postgres:16"},
    "other": {"image": "postgres:15"},
}
NAMESPACE = "from invoke_stack import namespace\nns = namespace({})\n"


def with_settings(stage: Stage, text: str) -> None:
    stage.write("tasks.py", NAMESPACE.replace("{}", text))


def mode(stage: Stage, *words: str, **environ: str) -> str:
    return str(stage.inv(*words, "stack.config", "--json", **environ).document()["mode"])


def test_each_source_wins_over_those_below_it(stage: Stage) -> None:
    stage.stack(SERVICES)
    assert mode(stage) == "dev"

    with_settings(stage, '{"mode": "test"}')
    assert mode(stage) == "test"

    (stage.home / ".invoke.yaml").write_text("stack: {mode: staging}\n")
    assert mode(stage) == "staging"

    stage.write("invoke.yaml", "stack: {mode: prod}\n")
    assert mode(stage) == "prod"

    stage.write("run.yaml", "stack: {mode: base}\n")
    assert mode(stage, "-f", "run.yaml") == "base"

    assert mode(stage, "-f", "run.yaml", INVSTACK_MODE="test") == "test"

    ran = stage.inv("-f", "run.yaml", "stack.config", "--json", "--dev", INVSTACK_MODE="test")
    assert ran.document()["mode"] == "dev"


def test_sources_are_merged_key_by_key(stage: Stage) -> None:
    stage.stack(SERVICES)
    with_settings(stage, '{"db": {"service": "pg", "user": "app"}, "cache": {"service": "web"}}')
    stage.write("invoke.yaml", "stack:\n  db:\n    service: other\n")

    found = stage.inv("stack.config", "--json").document()

    assert found["database"].startswith("other (setting stack.db.service)")
    assert found["cache"].startswith("web (setting")


@pytest.mark.parametrize(
    "text", ["stack:\n", "stack:\n  db:\n", "stack:\n  db:\n    service:\n", "{}\n"]
)
def test_an_empty_key_in_the_file_leaves_what_stands_below_it(stage: Stage, text: str) -> None:
    stage.stack(SERVICES)
    with_settings(stage, '{"db": {"service": "pg"}}')
    stage.write("invoke.yaml", text)

    ran = stage.inv("stack.config", "--json")

    assert ran.code == 0, ran.err
    assert ran.document()["database"].startswith("pg (setting")


def test_an_unknown_key_in_tasks_py_is_named(stage: Stage) -> None:
    with_settings(stage, '{"db": {"servce": "pg"}}')

    ran = stage.inv("stack.config")

    assert ran.code == 2
    assert ran.err == (
        "error: namespace({...}) in tasks.py: stack.db.servce: unknown setting\n"
        "  hint: did you mean stack.db.service?\n"
    )


def test_an_unknown_key_in_the_projects_file_is_named(stage: Stage) -> None:
    stage.write("invoke.yaml", "stack: {engin: docker}\n")

    ran = stage.inv("stack.config")

    assert ran.code == 2
    assert ran.err == (
        "error: invoke.yaml: stack.engin: unknown setting\n  hint: did you mean stack.engine?\n"
    )


def test_an_unknown_key_in_the_users_file_is_named(stage: Stage) -> None:
    path = stage.home / ".invoke.yaml"
    path.write_text("stack: {engin: docker}\n")

    ran = stage.inv("stack.config")

    assert ran.code == 2
    assert ran.err.startswith(f"error: {path}: stack.engin: unknown setting\n")


def test_an_unknown_key_in_a_named_file_is_named(stage: Stage) -> None:
    stage.write("other.yaml", "stack: {engin: docker}\n")

    ran = stage.inv("-f", "other.yaml", "stack.config")

    assert ran.code == 2
    assert "other.yaml: stack.engin: unknown setting" in ran.err


def test_an_unknown_variable_is_named(stage: Stage) -> None:
    ran = stage.inv("stack.config", INVSTACK_DB_SERVCE="pg")

    assert ran.code == 2
    assert ran.err == (
        "error: environment: INVSTACK_DB_SERVCE: unknown setting\n"
        "  hint: did you mean INVSTACK_DB_SERVICE?\n"
    )


def test_a_value_of_the_wrong_type_is_named(stage: Stage) -> None:
    stage.write("invoke.yaml", "stack: {compose: {files: a.yml}}\n")

    ran = stage.inv("stack.config")

    assert ran.code == 2
    assert "invoke.yaml: stack.compose.files: expected a list, found a text" in ran.err


def test_lists_come_from_a_file_and_from_a_variable(stage: Stage) -> None:
    stage.stack(SERVICES)
    for name in ("a.yml", "b.yml", "c.yml"):
        stage.write(name, "services: {}\n")
    stage.write("invoke.yaml", "stack:\n  compose:\n    files: [a.yml, b.yml]\n")

    file = stage.inv("stack.config", "--json").document()
    variable = stage.inv("stack.config", "--json", INVSTACK_COMPOSE_FILES="c.yml, a.yml").document()

    assert file["compose"] == ["a.yml", "b.yml"]
    assert variable["compose"] == ["c.yml", "a.yml"]


@pytest.mark.parametrize(("value", "label"), [("false", False), ("true", True)])
def test_false_is_false(stage: Stage, engine: FakeEngine, value: str, label: bool) -> None:  # noqa: FBT001
    stage.stack({"web": {"build": "."}})
    engine.container("web", folder=str(stage.root))

    ran = stage.inv("stack.up", INVSTACK_OVERRIDE=value)

    assert ran.code == 0, ran.err
    written = (stage.root / ".invoke-stack" / "override.yml").read_text()
    assert ("dev.invoke-stack.mode" in written) is label


def test_variables_of_invoke_itself_change_nothing_of_ours(stage: Stage) -> None:
    stage.stack(SERVICES)
    stage.write("invoke.yaml", "stack: {mode: prod, override: true, compose: {profiles: [a]}}\n")

    ran = stage.inv("stack.config", "--json", INVOKE_TASKS_DEDUPE="0", STACK_MODE="test")

    assert ran.document()["mode"] == "prod"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--dev", "--prod"), "--dev and --prod: one mode at a time"),
        (("--prod", "--mode", "qa"), "--prod and --qa: one mode at a time"),
        (("--mode", "qa"), "--mode qa: no such mode"),
        (("--set", "canary-secret"), "--set: expected KEY=VALUE"),
        (("--set", "=canary-secret"), "--set: expected KEY=VALUE"),
    ],
)
def test_flags_that_contradict_or_say_nothing_are_an_error(
    stage: Stage, flags: tuple[str, ...], message: str
) -> None:
    stage.stack(SERVICES)

    ran = stage.inv("stack.config", *flags)

    assert ran.code == 2
    assert ran.err.startswith(f"error: {message}\n  hint: ")
    assert "canary" not in ran.out + ran.err


def test_what_is_set_on_the_command_line_ranks_above_everything(stage: Stage) -> None:
    stage.write(".env", "WEB_PORT=1\nA=file\n")
    stage.stack(SERVICES)

    ran = stage.inv("env.show", "--json", "--set", "WEB_PORT=x=y z", "--set", "A=", WEB_PORT="2")

    values = ran.document()["values"]
    assert (values["WEB_PORT"]["value"], values["WEB_PORT"]["origin"]) == ("x=y z", "set")
    assert values["WEB_PORT"]["file"] is None
    assert values["A"]["value"] == ""


@pytest.mark.parametrize("given", ["3", "[1]", "'pg'"])
def test_settings_in_tasks_py_that_are_no_mapping_are_named(stage: Stage, given: str) -> None:
    stage.write("tasks.py", f"from invoke_stack import namespace\n\nns = namespace({given})\n")

    ran = stage.inv("stack.config")

    assert ran.code == 2
    assert ran.err.startswith("error: namespace({...}) in tasks.py: stack: expected a mapping")


def test_a_folder_of_env_files_that_does_not_exist_is_named(stage: Stage) -> None:
    stage.stack({"web": {"image": "redis:7"}})

    ran = stage.inv("env.show", INVSTACK_ENV_DIRECTORY="nosuch")

    assert ran.code == 2
    assert ran.err.startswith("error: stack.env.directory: no such folder: nosuch\n")
