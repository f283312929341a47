"""`nox`: databases are up, and end-to-end tests get their URLs as this machine sees them."""

import nox

from invoke_stack.nox import stack


@nox.session(venv_backend="none")
def e2e(session: nox.Session) -> None:
    """Run the tests in e2e/ against the running stack."""
    with stack(session, mode="dev", services=["db", "redis"]) as env:
        session.run("python", "-m", "unittest", "discover", "e2e", *session.posargs, env=env)
