"""`gigawright catalogue`: the facts."""

from __future__ import annotations

from cyclopts import App

from gigawright.terminal import say

app = App(name="catalogue", help="Look up the facts: find, list, and why a value is what it is.")


@app.command
def find(term: str, *, as_of: str | None = None) -> None:
    """List items whose name, id or attribute holds a term.

    Parameters
    ----------
    term
        Text to look for, in any case.
    as_of
        Use only what was known on that day (YYYY-MM-DD).
    """
    from gigawright.catalogue.lookup import find as look

    say(look(term, as_of))


@app.command(name="list")
def list_items(kind: str = "", *, as_of: str | None = None) -> None:
    """List the kinds of items, or the items of one kind and what each lacks.

    Parameters
    ----------
    kind
        Such as system, site or model; without it, all kinds are counted.
    as_of
        Use only what was known on that day (YYYY-MM-DD).
    """
    from gigawright.catalogue.lookup import list_kind

    say(list_kind(kind, as_of))


@app.command
def why(name: str, *, as_of: str | None = None) -> None:
    """Show a value with its range, source, dates and confidence, and what was known before.

    Parameters
    ----------
    name
        ITEM or ITEM.ATTRIBUTE, such as nv_h200_sxm.memory_gb.
    as_of
        Use only what was known on that day (YYYY-MM-DD).
    """
    from gigawright.catalogue.lookup import why as explain

    say(explain(name, as_of))
