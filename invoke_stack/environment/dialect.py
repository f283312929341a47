"""What Compose reads from one statement of an env file.

python-dotenv splits the file into statements; this module reads a statement the way Compose
does. Where both arrive at the same key and the same text, every other tool that follows one
of them does too; where they do not, `dotenv` refuses the line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Two ideas of white space in Compose (Go's): between statements, and inside a line. Python's
# own `str.strip` would also drop the separators \x1c to \x1f.
_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_BLANK = "\t\v\f\r \x85\xa0"

_EXPORT = re.compile(r"export[\t\n\f\r ]+")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_QUOTED = {
    quote: re.compile(rf"{quote}((?:\\.|[^{quote}\\])*){quote}", re.DOTALL) for quote in "'\""
}
_PAIR = re.compile(r"\\(.)", re.DOTALL)
_ESCAPE = re.compile(r'\\([abfnrtv$"\\])')
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Reading:
    r"""One assignment as Compose understands it.

    Attributes:
        key: the variable.
        quote: `'`, `"` or "".
        literal: the text after quotes, comment and escapes, with `\$` untouched; None for a
            key without `=`.
        source: the literal in which Compose then looks for references.
    """

    key: str
    quote: str = ""
    literal: str | None = None
    source: str = ""


class UnreadableError(ValueError):
    """Compose refuses the statement or reads it in its own way; carries message and hint.

    ``kind`` is "syntax" where Compose refuses the file, "own" where it may read the statement
    in its own way, "encoding" for a line end inside a value, "literal" for an escape.
    """

    def __init__(self, message: str, hint: str, kind: str = "syntax") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.kind = kind


def read(statement: str) -> Reading | None:
    """Read one statement; None for a blank one or a comment.

    Raises:
        UnreadableError: the statement is one that is not portable.
    """
    body = statement.lstrip(_SPACE)
    if not body or body.startswith("#"):
        return None
    if _EXPORT.match(body):
        body = body.removeprefix("export").lstrip(_BLANK)
    found = _KEY.match(body)
    rest = body[found.end() :].lstrip(_BLANK) if found else ""
    if found and rest.startswith("="):
        return _assignment(found[0], rest[1:].lstrip(_BLANK))
    if found and rest == "\n":
        return Reading(found[0])
    raise _no_assignment(rest if found else None)


def _no_assignment(rest: str | None) -> UnreadableError:
    """Say what is wrong behind a name, or, with None, where a name should stand."""
    if rest == "":
        return UnreadableError(
            "a name without `=` on the last line, which has no line end",
            "write NAME=value, or end the line",
        )
    if rest is not None and rest.startswith(":"):
        return UnreadableError("`:` in place of `=`", "write NAME=value", "own")
    if rest is not None and rest.startswith("#"):
        return UnreadableError(
            "a comment behind a name without `=`", "put the comment on its own line", "own"
        )
    return UnreadableError(
        "not an assignment",
        "write NAME=value; a name has letters of a to z, digits (not first) and _ ; "
        "a value of several lines goes in quotes",
    )


def _assignment(key: str, rest: str) -> Reading:
    quote = rest[:1]
    if quote not in _QUOTED or not quote:
        value = rest.partition("\n")[0].partition(" #")[0].rstrip(_SPACE)
        return Reading(key, "", value, value)
    found = _QUOTED[quote].match(rest)
    if found is None:
        raise UnreadableError(
            f"the {quote} that opens the value of {key} is never closed",
            f"close it, or wrap the value in {_other(quote)}",
        )
    tail = rest[found.end() :].lstrip(_SPACE)
    if tail and not tail.startswith("#"):
        raise UnreadableError(
            f"text behind the closing {quote} of {key}",
            f"quote the whole value once; a {quote} inside goes in {_other(quote)} quotes",
            "own",
        )
    if "\r" in found[1]:
        raise UnreadableError(
            f"the value of {key} spans lines that end in CRLF",
            r'write it on one line as "...\n..." or save the file with LF line ends',
            "encoding",
        )
    return _quoted(key, quote, found[1])


def _other(quote: str) -> str:
    return '"' if quote == "'" else "'"


def _quoted(key: str, quote: str, inner: str) -> Reading:
    # First the quote itself, as Compose does; every other backslash stays for the next step.
    if "\\" not in inner:
        return Reading(key, quote, inner, inner)
    inner = _PAIR.sub(lambda pair: quote if pair[1] == quote else pair[0], inner)
    if quote == "'":
        return Reading(key, quote, inner, inner)
    if r"\0" in re.sub(r"\\\\", "", inner):
        raise UnreadableError(
            rf"`\0` in the double-quoted value of {key} is read in two ways",
            r"write \\0 for a backslash and a zero",
            "literal",
        )
    return Reading(key, quote, _decoded(inner, r"\$"), _decoded(inner, "$$"))


def _decoded(text: str, dollar: str) -> str:
    """Replace the escapes of double quotes; ``dollar`` stands in for an escaped `$`."""
    return _ESCAPE.sub(
        lambda found: dollar if found[1] == "$" else _ESCAPED.get(found[1], found[1]), text
    )
