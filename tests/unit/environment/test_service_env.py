from __future__ import annotations

from collections.abc import Callable

from invoke_stack.environment.resolve import ResolvedEnv
from invoke_stack.modes import find

Resolve = Callable[..., ResolvedEnv]
BASE, DEV, PROD = find("base"), find("dev"), find("prod")


def test_an_entry_that_is_a_layer_keeps_its_rank(service: Resolve) -> None:
    files = {".env": "A=1\nB=1\n", ".env.development": "A=2\n", ".env.local": "A=3\nL=3\n"}

    assert service(files, [".env"]).exported() == {"A": "3", "B": "1", "L": "3"}
    assert service(files, [".env.local", ".env"]).exported()["A"] == "3"


def test_any_other_entry_ranks_just_above_env(service: Resolve) -> None:
    files = {
        ".env": "A=1\nB=1\n",
        ".env.docker": "A=docker\nB=docker\n",
        ".env.development": "A=dev\n",
    }

    env = service(files, [".env.docker"])

    assert env.exported() == {"A": "dev", "B": "docker"}
    assert env.layers == (".env", ".env.docker", ".env.development")


def test_of_two_other_entries_the_later_wins(service: Resolve) -> None:
    files = {"x.env": "A=x\n", "y.env": "A=y\n"}

    assert service(files, ["x.env", "y.env"]).exported() == {"A": "y"}
    assert service(files, ["y.env", "x.env"]).exported() == {"A": "x"}


def test_a_folder_is_its_own_family_and_the_later_one_wins(service: Resolve) -> None:
    files = {
        ".env": "A=root\nR=root\n",
        "web/.env": "A=web\nW=web\n",
        "web/.env.local": "A=web-local\n",
    }

    assert service(files, ["web/.env"]).exported() == {"A": "web-local", "W": "web"}
    both = service(files, [".env", "web/.env"]).exported()
    assert both == {"A": "web-local", "R": "root", "W": "web"}
    assert service(files, ["web/.env", ".env"]).exported()["A"] == "root"


def test_a_services_file_can_refer_to_the_projects_values(service: Resolve) -> None:
    files = {
        ".env": "HOST=h\nNAME=n\nOPTS=a\n",
        "web/.env": "URL=http://$HOST\nNAME\nOPTS=$OPTS,b\n",
    }

    assert service(files, ["web/.env"]).exported() == {
        "URL": "http://h",
        "NAME": "n",
        "OPTS": "a,b",
    }


def test_process_and_set_outrank_a_services_files(service: Resolve) -> None:
    env = service({".env": "A=1\nB=1\n"}, [".env"], {"A": "p", "X": "p"}, {"B": "s", "Y": "s"})

    assert env.exported() == {"A": "p", "B": "s"}


def test_a_service_gets_node_env_only_if_its_files_name_it(service: Resolve) -> None:
    assert service({"x.env": "A=1\n"}, ["x.env"]).exported() == {"A": "1"}
    env = service({"x.env": "NODE_ENV=test\n"}, ["x.env"])
    assert env.exported() == {"NODE_ENV": "development"}
    assert env.notes == ("NODE_ENV is development, as the mode says, not as x.env:1",)


def test_a_lone_env_local_and_missing_entries_are_fine(service: Resolve) -> None:
    assert service({".env.local": "A=1\n"}, [".env"], mode=find("test")).exported() == {"A": "1"}
    assert service({}, ["none/.env"]).exported() == {}
    assert service({}, []).exported() == {}
