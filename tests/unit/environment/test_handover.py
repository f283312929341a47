from __future__ import annotations

from invoke_stack.environment.handover import compose_environ, encode, env_file_text
from invoke_stack.environment.values import ResolvedEnv, Value


def test_compose_gets_the_resolved_values_and_reads_no_file_itself() -> None:
    env = ResolvedEnv(
        "dev",
        (),
        {
            "A": Value("A", "1", "file", ".env", 1),
            "B": Value("B", "2", "compose", "compose.yaml", 3),
            "C": Value("C", None, "file"),
            "D": Value("D", "", "set"),
        },
    )

    assert compose_environ({"PATH": "/bin", "A": "0"}, env) == {
        "PATH": "/bin",
        "A": "1",
        "D": "",
        "COMPOSE_DISABLE_ENV_FILE": "1",
    }


def test_a_value_is_encoded_for_composes_double_quotes() -> None:
    assert encode('a\\b "c" $d\n\r') == r'"a\\b \"c\" \$d\n\r"'


def test_the_same_values_give_the_same_file() -> None:
    assert env_file_text({"B": "2", "A": "1"}) == 'A="1"\nB="2"\n'
    assert env_file_text({}) == ""
