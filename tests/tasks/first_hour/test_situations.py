"""The wrong ways that a newcomer goes, and where each is tested by its text and exit code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
HERE = "tasks/first_hour"
PLACE = f"{HERE}/test_place.py"
ENV = f"{HERE}/test_env.py"
DOCKER = f"{HERE}/test_docker.py"
TYPED = f"{HERE}/test_command_line.py"
ENGINE = "engine/test_first_hour.py"
PRISMA = "engine/prisma/test_failures.py"
SITUATIONS = {
    "no compose file": (PLACE, "test_without_a_compose_file_every_task_says_where_to_put_one"),
    "wrong folder": (
        PLACE,
        "test_a_compose_file_in_another_folder_is_found_and_the_hint_makes_it_work",
    ),
    "sub-folder": ("tasks/test_composition.py", "test_tasks_work_from_a_folder_below_the_project"),
    "no tasks.py": (
        PLACE,
        "test_without_tasks_py_it_is_invoke_that_answers_and_the_docs_explain_it",
    ),
    "two tasks.py": (PLACE, "test_of_two_tasks_py_the_inner_one_counts_and_the_way_out_is_named"),
    "no template": (ENV, "test_without_template_and_value_the_way_to_both_is_named"),
    "template only": (ENV, "test_with_the_template_alone_env_init_is_the_next_step_and_it_helps"),
    "Docker stopped": (DOCKER, "test_docker_that_is_stopped"),
    "no Docker": (DOCKER, "test_no_docker_at_all"),
    "permission denied on the socket": (DOCKER, "test_a_socket_that_this_user_may_not_use"),
    "Compose v1 only": (DOCKER, "test_docker_without_the_compose_plugin"),
    "Compose too old": (DOCKER, "test_a_compose_that_is_too_old"),
    "port in use": (DOCKER, "test_a_port_that_a_program_of_this_machine_holds"),
    "port of another stack": (ENGINE, "test_the_port_of_the_running_stack_is_taken_for_another"),
    "Windows line ends, BOM": (ENV, "test_files_that_windows_wrote_say_the_same"),
    "the same in a container": (
        ENGINE,
        "test_what_windows_wrote_reaches_the_container_as_it_was_meant",
    ),
    "spaces and unicode in the path": (PLACE, "test_any_folder_name_works"),
    "root user": (PLACE, "test_root_needs_nothing_special"),
    "after root": (PLACE, "test_what_root_once_made_is_told_how_to_get_back"),
    "read-only folder": (
        PLACE,
        "test_a_folder_that_is_read_only_is_named_and_nothing_is_left_in_it",
    ),
    "no Node": (PRISMA, "without_node_the_way_to_it_is_named"),
    "no node_modules": (PRISMA, "prisma_that_is_not_installed_is_not_downloaded"),
    "Prisma engine not downloadable": (PRISMA, "an_engine_that_cannot_be_downloaded_is_named"),
    "wrong Python": (TYPED, "test_a_python_that_is_too_old_is_told_what_to_do"),
    "unknown task, unknown flag, flag misspelt": (
        TYPED,
        "test_what_invoke_does_not_know_is_its_own_message_and_the_docs_explain_it",
    ),
    "unknown setting, setting of the wrong type": (
        TYPED,
        "test_a_setting_that_is_unknown_or_of_the_wrong_type",
    ),
    "task run twice at once": (TYPED, "test_a_task_that_runs_twice_at_once"),
    "two backups at once": (
        "engine/database/test_backup.py",
        "test_of_two_backups_at_once_one_is_busy",
    ),
    "database not up yet": (ENGINE, "test_before_the_first_up_every_task_says_how_to_start"),
    "output piped to head": (
        TYPED,
        "test_a_reader_that_has_enough_ends_the_printing_and_nothing_else",
    ),
    "a backup piped to head": (
        ENGINE,
        "test_a_reader_that_goes_away_does_not_end_a_backup_half_way",
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_wrong_way_has_its_test(situation: str) -> None:
    file, name = SITUATIONS[situation]

    assert re.search(rf"^def {name}\(", (TESTS / file).read_text("utf-8"), re.MULTILINE)
