from __future__ import annotations

import pytest

from invoke_stack.dockerfile.build import ports
from invoke_stack.dockerfile.model import Dockerfile, Stage
from invoke_stack.dockerfile.parser import parse
from invoke_stack.errors import UsageError


def read(*lines: str, **args: str) -> Dockerfile:
    return parse("\n".join(lines) + "\n", "Dockerfile", args)


def last(*lines: str, **args: str) -> tuple[Dockerfile, Stage]:
    found = read(*lines, **args)
    assert found.last is not None
    return found, found.last


def test_a_global_argument_decides_the_base_image() -> None:
    found = read("ARG NODE=20", "ARG TAG=${NODE}-alpine", "FROM node:${TAG} AS base")

    assert found.stages[0].image == "node:20-alpine"
    assert found.stages[0].base == "node:${TAG}"
    assert found.stages[0].known
    assert found.stages[0].line == 3


def test_a_build_argument_wins_over_the_default() -> None:
    found = read("ARG NODE=20", "FROM node:$NODE", NODE="22")

    assert found.stages[0].image == "node:22"


def test_a_global_argument_without_default_leaves_the_base_unknown() -> None:
    found = read("ARG TAG", "FROM node:$TAG")

    assert not found.stages[0].known


def test_a_default_in_the_reference_is_used() -> None:
    assert read("FROM node:${TAG:-20}").stages[0].image == "node:20"
    assert read("ARG TAG=22", "FROM node:${TAG:-20}").stages[0].image == "node:22"
    assert read("ARG TAG=22-alpine", "FROM node:${TAG%-alpine}").stages[0].image == "node:22"


def test_a_stage_continues_an_earlier_one_whatever_the_case() -> None:
    found, stage = last(
        "FROM node:20 AS Base",
        "ENV A=1",
        "USER node",
        "EXPOSE 3000",
        "WORKDIR /app",
        "HEALTHCHECK CMD curl localhost",
        "FROM base",
        "ENV B=$A",
    )

    assert stage.parent == 0
    assert {key: word.value for key, word in found.env(stage).items()} == {"A": "1", "B": "1"}
    assert found.root(stage).image == "node:20"
    assert found.user(stage) == found.stages[0].user
    assert [word.value for word in found.expose(stage)] == ["3000"]
    assert found.workdir(stage) == found.stages[0].workdir
    assert found.health(stage) == found.stages[0].health


def test_arguments_do_not_pass_a_from() -> None:
    _, stage = last("FROM a AS base", "ARG X=1", "FROM base", "ENV Y=$X")

    assert stage.env["Y"].value == "$X"
    assert not stage.env["Y"].known


def test_a_stage_takes_a_global_argument_over_by_naming_it() -> None:
    _, stage = last("ARG X=1", "FROM a", "ENV BEFORE=$X", "ARG X", "ENV AFTER=$X")

    assert (stage.env["BEFORE"].known, stage.env["AFTER"].value) == (False, "1")


def test_env_wins_over_arg_wherever_it_stands() -> None:
    _, stage = last("FROM a", "ENV X=env", "ARG X=arg", "USER $X")

    assert stage.user is not None
    assert stage.user.value == "env"


def test_one_env_line_sees_what_stood_before_it() -> None:
    _, stage = last("FROM a", "ENV A=old", "ENV A=new B=\"$A x\" C='$A'")

    assert [stage.env[key].value for key in "ABC"] == ["new", "old x", "$A"]


def test_a_variable_of_the_base_image_is_unknown_and_stays_readable() -> None:
    _, stage = last("FROM a", "ENV PATH=/app/bin:$PATH")

    assert (stage.env["PATH"].value, stage.env["PATH"].known) == ("/app/bin:$PATH", False)


def test_an_argument_without_default_is_unknown() -> None:
    _, stage = last("FROM a", "ARG V", "ENV X=$V")

    assert stage.args["V"].value is None
    assert not stage.env["X"].known


def test_relative_folders_are_joined() -> None:
    _, stage = last("FROM a", "WORKDIR /srv", "WORKDIR app/web", "COPY . .", "COPY x ./y/")

    assert stage.workdir is not None
    assert stage.workdir.value == "/srv/app/web"
    assert [each.target for each in stage.copies] == ["/srv/app/web/", "/srv/app/web/y/"]


def test_a_copy_tells_where_it_takes_from() -> None:
    _, stage = last(
        "FROM a AS deps",
        "FROM b AS build",
        "FROM c",
        "COPY --from=Deps --chown=a:b /app/x /x",
        "COPY --from=1 /y /y",
        "COPY --from=nginx:1 /z /z",
        'COPY ["a b", "/c"]',
    )

    assert [(each.sources, each.origin, each.stage) for each in stage.copies] == [
        (("/app/x",), "Deps", 0),
        (("/y",), "1", 1),
        (("/z",), "nginx:1", None),
        (("a b",), "", None),
    ]


def test_a_heredoc_is_no_file_of_the_context() -> None:
    _, stage = last("FROM a", "COPY <<one.txt real.txt /x/", "hello", "one.txt")

    assert stage.copies[0].sources == ("real.txt",)
    assert stage.copies[0].heredocs == ("one.txt",)


def test_a_run_knows_its_folder_and_its_heredoc() -> None:
    _, stage = last(
        "FROM a", "WORKDIR /app", "RUN <<-EOF bash", "\tnpm ci", "EOF", 'RUN ["a", "b"]'
    )

    assert stage.runs[0].script == "<<-EOF bash\nnpm ci\n"
    assert (stage.runs[0].workdir, stage.runs[0].line, stage.runs[0].end) == ("/app", 3, 5)
    assert stage.runs[1].words == ("a", "b")


def test_an_entrypoint_drops_the_command_it_inherits() -> None:
    found, stage = last("FROM a AS base", 'CMD ["x"]', "FROM base", 'ENTRYPOINT ["y"]')

    assert found.cmd(stage) is None
    assert found.cmd(found.stages[0]) is not None


def test_a_command_is_inherited_without_one_of_its_own() -> None:
    found, stage = last("FROM a AS base", 'CMD ["x"]', "FROM base")

    assert found.cmd(stage) == found.stages[0].cmd


def test_a_health_check_in_shell_and_json_form_and_none() -> None:
    shell, words, none = read(
        "FROM a",
        "HEALTHCHECK --interval=3s CMD curl -f x || exit 1",
        "FROM a",
        'HEALTHCHECK CMD ["wget", "x"]',
        "FROM a",
        "HEALTHCHECK NONE",
    ).stages

    assert shell.health is not None
    assert shell.health.command == ("curl -f x || exit 1",)
    assert words.health is not None
    assert (words.health.command, words.health.exec) == (("wget", "x"), True)
    assert none.health is not None
    assert none.health.disabled


def test_a_target_is_found_by_name_and_number() -> None:
    found = read("FROM a AS Deps", "FROM b AS runner")

    assert found.stage("deps") == found.stages[0]
    assert found.stage("DEPS") == found.stages[0]
    assert found.stage("1") == found.stages[1]
    assert found.stage("") == found.last
    assert found.stage("missing") is None


def test_exposed_ports_are_numbers_where_they_are_known() -> None:
    _, stage = last("FROM a", "ARG P=3000", "ARG Q", "EXPOSE $P 53/udp 80/tcp $Q")

    assert list(ports(stage.expose)) == [3000, 80]


def test_variables_may_grow_no_further_than_anybody_needs() -> None:
    doubling = [f"ENV A{n}=$A{n - 1}$A{n - 1}" for n in range(1, 80)]

    _, stage = last("FROM a", "ENV A0=xxxxxxxxxx", *doubling)

    assert not stage.env["A79"].known


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (["RUN x", "FROM a"], "Dockerfile:1: RUN stands before the first FROM"),
        (["FROM a", "FROM a b"], "Dockerfile:2: FROM takes an image, or `IMAGE AS NAME`"),
        (["FROM a", "RUN <<EOF"], "Dockerfile:2: a heredoc that nothing ends"),
        (["FROM a\n"] * 501, "Dockerfile:1001: more than 500 stages"),
    ],
)
def test_what_buildkit_refuses_names_the_line(lines: list[str], place: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(*lines)

    assert str(caught.value) == place


def test_directives_are_kept() -> None:
    assert read("# syntax=docker/dockerfile:1", "FROM a").directives == {
        "syntax": "docker/dockerfile:1"
    }
