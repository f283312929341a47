"""A35, A36, A38 and the marks of A37, without a database."""

import json
from typing import Any

import pytest

from invoke_stack.database import rails, target
from invoke_stack.database.postgres import Postgres
from invoke_stack.database.rails import Action, Consent, Question, Subject
from invoke_stack.database.values import Stakes
from invoke_stack.errors import ExitCode, RefusedError
from invoke_stack.settings import DbSettings

PATTERNS = DbSettings().protected
RESTORE = Action("db.restore", "replaces", source="shop-1.dump", kept="as shop__old, for --undo")
MIGRATE = Action("db.migrate", "applies 2 migrations to", destroys=False)
FULL = Stakes(bytes=12 * 1024**2, tables=1, sessions=3)
STACK = Subject("shop", "pg", stakes=FULL)
LOOPBACK = Subject("shop", "127.0.0.1:5432", "loopback", FULL)
REMOTE = Subject("shop", "db.example.com:5432", "remote", FULL)
BOTH = Consent(remote=True, name="shop")


def refusal(subject: Subject, action: Action, consent: Consent) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        rails.judge(subject, action, consent, PATTERNS)
    assert caught.value.code == ExitCode.REFUSED
    return caught.value


def test_the_question_names_source_target_sizes_and_what_is_kept() -> None:  # A38
    asked = rails.judge(STACK, RESTORE, Consent(), PATTERNS)

    assert asked == Question(
        "db.restore replaces database shop of service pg with shop-1.dump\n"
        "  in it now: 12.0 MiB, 1 table, 3 sessions connected\n"
        "  kept: as shop__old, for --undo\n"
        "go on?"
    )


def test_what_nothing_is_kept_of_is_said() -> None:
    asked = rails.judge(Subject("shop", "pg"), Action("db.reset", "empties"), Consent())

    assert asked is not None
    assert asked.text == "db.reset empties database shop of service pg\n  kept: nothing\ngo on?"


@pytest.mark.parametrize("subject", [LOOPBACK, REMOTE])
@pytest.mark.parametrize("consent", [Consent(), Consent(name="shop")])
def test_another_database_than_the_stacks_is_refused(  # A35
    subject: Subject, consent: Consent
) -> None:
    problem = refusal(subject, RESTORE, consent)

    assert f"is not this stack's: database shop at {subject.host}" in problem.message
    assert "--allow-remote --confirm shop" in problem.hint


@pytest.mark.parametrize("subject", [LOOPBACK, REMOTE])
def test_with_the_flag_alone_its_name_has_to_be_typed(subject: Subject) -> None:  # A35
    asked = rails.judge(subject, RESTORE, Consent(remote=True), PATTERNS)

    assert asked is not None
    assert asked.word == "shop"
    assert subject.host in asked.text


@pytest.mark.parametrize("subject", [LOOPBACK, REMOTE])
def test_flag_and_name_together_ask_nothing_more(subject: Subject) -> None:  # A35
    assert rails.judge(subject, RESTORE, BOTH, PATTERNS) is None


@pytest.mark.parametrize("subject", [STACK, LOOPBACK, REMOTE])
def test_a_name_that_is_another_ones_is_refused(subject: Subject) -> None:
    problem = refusal(subject, RESTORE, Consent(remote=True, name="shop2"))

    assert problem.message == "--confirm shop2 names another one"
    assert subject.host in problem.hint


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        (Subject("shop_prod", "pg"), "shop_prod fits prod of"),
        (Subject("shop", "live-db.example.com:5432", "remote"), "fits live of"),
        (Subject("Production", "localhost:5432", "loopback"), "Production fits production of"),
        (Subject("shop", "pg", stakes=Stakes(protected=True)), "invoke_stack.protected"),
        (Subject("shop", "127.0.0.1:1", "loopback", Stakes(protected=True)), "marked on the"),
    ],
)
def test_a_protected_database_is_never_replaced(subject: Subject, reason: str) -> None:  # A37
    consent = Consent(remote=True, name=subject.database)
    problem = refusal(subject, RESTORE, consent)

    assert problem.message.startswith("is protected: ")
    assert reason in problem.message
    assert problem.hint


@pytest.mark.parametrize("name", ["products", "alive", "deliver", "reproduction"])
def test_a_word_within_a_word_protects_nothing(name: str) -> None:
    assert rails.protection(Subject(name, "pg"), PATTERNS) is None


def test_the_name_of_the_stacks_own_service_protects_nothing() -> None:
    assert rails.protection(Subject("shop", "prod-db"), PATTERNS) is None


def test_a_pattern_may_be_a_whole_hosts() -> None:
    subject = Subject("shop", "a.rds.example.com:5432", "remote")

    assert rails.protection(subject, ["*.RDS.example.com:*"]) is not None
    assert rails.protection(subject, ["", "rds.*"]) is None


@pytest.mark.parametrize("name", ["template0", "template1", "postgres"])
def test_the_servers_own_databases_are_never_replaced(name: str) -> None:
    problem = refusal(Subject(name, "pg"), RESTORE, Consent(remote=True, name=name))

    assert "the server itself needs it" in problem.message


@pytest.mark.parametrize("subject", [STACK, LOOPBACK, Subject("postgres", "pg")])
def test_what_destroys_nothing_needs_no_question_at_home(subject: Subject) -> None:
    assert rails.judge(subject, MIGRATE, Consent(), PATTERNS) is None


def test_what_destroys_nothing_still_asks_far_away() -> None:
    refusal(REMOTE, MIGRATE, Consent())
    asked = rails.judge(REMOTE, MIGRATE, Consent(remote=True), PATTERNS)

    assert asked is not None
    assert asked.word == "shop"
    assert asked.text.startswith("db.migrate applies 2 migrations to database shop at db.example")
    assert "kept" not in asked.text


def test_a_protected_database_may_be_migrated_by_name() -> None:
    subject = Subject("shop_prod", "pg")

    asked = rails.judge(subject, MIGRATE, Consent(), PATTERNS)
    assert asked is not None
    assert asked.word == "shop_prod"
    assert rails.judge(subject, MIGRATE, Consent(name="shop_prod"), PATTERNS) is None


def test_the_server_is_asked_before_the_user(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    stakes = {"bytes": 8 * 1024**2, "tables": 2, "sessions": 0, "protected": False}
    docker.forget("psql json_build_object")  # the facts: of two fitting answers the first counts
    docker.answer("psql invoke_stack\\.protected", json.dumps(stakes).encode() + b"\n")
    found = target.find(project, declared, engine)
    asked = []

    subject = rails.require(
        project, found, RESTORE, Consent(), lambda text, word="": asked.append((text, word))
    )

    assert subject == Subject("shop", "pg", stakes=Stakes(**stakes))
    assert [word for _, word in asked] == [""]
    assert "8.0 MiB, 2 tables\n" in asked[0][0]


def test_a_server_that_answers_nothing_leaves_the_sizes_out() -> None:
    assert Postgres().read_stakes("") == Stakes()
