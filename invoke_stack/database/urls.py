"""PostgreSQL URLs as apps write them, turned into what libpq's programs understand.

libpq refuses Prisma's parameters (`schema`, `connection_limit`, …), takes a driver's name
(`postgresql+asyncpg://`) for a database's, and reads a database called `a=b` as parameters. So
no URL is ever handed to a program: it is taken apart here and travels as `PG*` variables.

Parameters: https://www.postgresql.org/docs/current/libpq-envars.html and
https://www.prisma.io/docs/orm/overview/databases/postgresql#arguments
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from invoke_stack.database.values import Login, Place
from invoke_stack.errors import UsageError

PORT = "5432"
POOLER_PORT = "6543"
_SCHEME = re.compile(r"(?:jdbc:)?(?P<name>postgres(?:ql)?(?:\+\w+)?)://", re.IGNORECASE)
_HOST = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>\d*))?")
_PROXY = ("prisma://", "prisma+postgres://")
_MACHINE = frozenset({"", "localhost", "host.docker.internal"})

_VARIABLES = {
    "channel_binding": "PGCHANNELBINDING",
    "client_encoding": "PGCLIENTENCODING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "gssencmode": "PGGSSENCMODE",
    "hostaddr": "PGHOSTADDR",
    "krbsrvname": "PGKRBSRVNAME",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "options": "PGOPTIONS",
    "passfile": "PGPASSFILE",
    "require_auth": "PGREQUIREAUTH",
    "requirepeer": "PGREQUIREPEER",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "sslcert": "PGSSLCERT",
    "sslcrl": "PGSSLCRL",
    "sslkey": "PGSSLKEY",
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "sslrootcert": "PGSSLROOTCERT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
_NEW_NAMES = {"no-verify": "require"}  # node-postgres' word for libpq's


@dataclass(frozen=True, slots=True)
class Address:
    """A PostgreSQL URL in parts, percent-decoded.

    Attributes:
        host: a name, an address, the folder of a socket, or several with commas; "" is libpq's
            default socket.
        port: as many as hosts, with commas.
        parameters: those after the `?`, without the ones that are attributes here.
    """

    database: str
    user: str
    host: str
    port: str
    password: str = field(default="", repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def shown(self) -> str:
        """Host and port for people."""
        hosts, ports = self.host.split(","), self.port.split(",")
        # One port counts for all hosts.
        pairs = zip(hosts, itertools.cycle(ports), strict=False)
        return ",".join(_joined(host, port) for host, port in pairs)

    @property
    def place(self) -> Place:
        """Whether it names this machine; a port of the stack is not known here."""
        return "loopback" if all(map(_on_machine, self.host.split(","))) else "remote"

    @property
    def pooled(self) -> bool:
        """Whether a pooler answers there, which dumps, migrations and session state break."""
        marked = self.parameters.get("pgbouncer", "").casefold() in {"true", "1"}
        named = any("-pooler" in host.partition(".")[0] for host in self.host.split(","))
        return marked or named or POOLER_PORT in self.port.split(",")

    def variables(self) -> dict[str, str]:
        """Return libpq's variables, but for user, password and database.

        The port is always among them: the caller's own `PGPORT` belongs to another server.
        """
        found = {"PGHOST": self.host} if self.host else {}
        found["PGPORT"] = self.port
        for name, value in self.parameters.items():
            if name in _VARIABLES:
                found[_VARIABLES[name]] = _NEW_NAMES.get(value, value)
        if self.parameters.get("ssl", "").casefold() in {"true", "1", "require"}:
            found.setdefault("PGSSLMODE", "require")
        if "sslkey" not in self.parameters and "PGSSLCERT" in found:
            # Without a key it can only be what Prisma calls sslcert: the server's certificate.
            found.setdefault("PGSSLROOTCERT", found.pop("PGSSLCERT"))
        schema = self.parameters.get("schema", "public")
        if schema != "public":
            options = [found[each] for each in ("PGOPTIONS",) if each in found]
            found["PGOPTIONS"] = " ".join([*options, f"-c search_path={_option(schema)}"])
        return found

    def login(self) -> Login:
        """Return whom to connect as, with the variables that lead there."""
        return Login(self.user, self.database, self.password, self.variables())


def written(login: Login, host: str, port: int = int(PORT)) -> str:
    """Return the URL of a database, every part percent-encoded as it has to be."""
    user, name = quote(login.user, safe=""), quote(login.database, safe="")
    password = f":{quote(login.password, safe='')}" if login.password else ""
    return f"postgresql://{user}{password}@{host}:{port}/{name}"


def parse(text: str, where: str) -> Address:
    """Return the parts of a URL.

    Args:
        text: the URL; no error shows any of it.
        where: the variable it is the value of.

    Raises:
        UsageError: it is no PostgreSQL URL, or one that leads to Prisma's proxy.
    """
    scheme = _SCHEME.match(text.strip())
    if scheme is None:
        raise _other_kind(text.strip(), where)
    rest = text.strip()[scheme.end() :]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    tail, _, fragment = rest[len(authority) :].partition("#")
    path, _, query = tail.partition("?")
    if "@" in path + fragment + query.partition("=")[0]:
        hint = "percent-encode them in the password: / is %2F, ? is %3F, # is %23, @ is %40"
        raise UsageError(where, "a `/`, `?` or `#` stands before the `@`", hint=hint)
    named = _parameters(query)
    user, _, password = authority.rpartition("@")[0].partition(":")
    host, port = _hosts(authority.rpartition("@")[2], where)
    address = Address(
        database=named.pop("dbname", "") or unquote(path.removeprefix("/")),
        user=named.pop("user", "") or unquote(user),
        host=named.pop("host", "") or host,
        port=named.pop("port", "") or port,
        password=named.pop("password", "") or unquote(password),
        parameters=named,
    )
    return _checked(address, where)


def _checked(address: Address, where: str) -> Address:
    parts = (address.database, address.user, address.host, address.password)
    if any("\0" in part for part in (*parts, *address.parameters.values())):
        raise UsageError(where, "%00 cannot be handed to a program", hint="take it out of the URL")
    if not address.database:
        hint = "write it after the host: postgresql://…@host:5432/NAME"
        raise UsageError(where, "the URL names no database", hint=hint)
    return address


def _parameters(query: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return {unquote(name): unquote(value) for name, _, value in pairs}


def _hosts(text: str, where: str) -> tuple[str, str]:
    hosts, ports = [], []
    for written in text.split(","):
        found = _HOST.fullmatch(written)
        if found is None:
            hint = "write user:password@host:port; an IPv6 address stands in [ ]"
            raise UsageError(where, "host or port of the URL cannot be read", hint=hint)
        hosts.append(unquote(found["host"].strip("[]")))
        ports.append(found["port"] or PORT)
    return ",".join(hosts), ",".join(ports)


def _other_kind(text: str, where: str) -> UsageError:
    if text.casefold().startswith(_PROXY):
        return UsageError(
            where,
            "leads to Prisma's proxy, not to a database",
            hint="name the variable with the database's own URL: --target DIRECT_URL",
        )
    scheme = re.match(r"[a-z][a-z0-9+.-]{0,20}(?=:)", text, re.IGNORECASE)
    what = f"a URL of {scheme[0]}" if scheme else "no URL" if text else "empty"
    return UsageError(
        where, f"is {what}, expected postgresql://…", hint="inv env.explain -k " + where
    )


def _on_machine(host: str) -> bool:
    if host in _MACHINE or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() in _MACHINE


def _joined(host: str, port: str) -> str:
    if not host or host.startswith("/"):
        return host or "the local socket"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _option(schema: str) -> str:
    """Return an identifier in one word of `PGOPTIONS`, whose blanks need a backslash."""
    quoted = '"' + schema.replace('"', '""') + '"'
    return re.sub(r"([\\\s])", r"\\\1", quoted)
