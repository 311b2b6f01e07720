"""Speculative decoding: each step a sequence keeps the drafted tokens up to the first refused, and one more.

How many are kept is a function of the seed, the request and the tokens it has so far alone, so it depends
neither on who else runs nor on preemptions. Sequences no longer advance in step, so a step looks at each.
"""

from __future__ import annotations

import numpy as np

from gigawright.workloads.requests.engine.compiled import compiled, merged
from gigawright.workloads.requests.engine.layout import (
    CONTEXT,
    DECODING,
    FREE,
    IDLE,
    LENGTH,
    PRIVATE,
    PRODUCED,
    REQUEST,
    ROOM,
    WINDOW,
    Marks,
    Rule,
    State,
    Work,
)
from gigawright.workloads.requests.engine.mixing import GOLDEN, mixed
from gigawright.workloads.requests.engine.pool import make_room
from gigawright.workloads.requests.engine.sequences import blocks_of, preempt

TO_UNIT = 1.0 / (1 << 53)
"""From 53 bits to a number from 0 up to 1."""

_mixed = compiled(mixed)


@merged
def uniform(seed: int, request: int, token: int) -> float:
    """A number from 0 up to 1 that belongs to a token of a request."""
    bits = _mixed(np.uint64(seed) + GOLDEN)
    bits = _mixed((bits ^ np.uint64(request)) + GOLDEN)
    bits = _mixed((bits ^ np.uint64(token)) + GOLDEN)
    drawn: float = (bits >> np.uint64(11)) * TO_UNIT
    return drawn


@merged
def kept_tokens(rule: Rule, request: int, token: int) -> int:
    """Tokens a step yields: the drafted ones up to the first refused, and the model's own.

    At least j drafted tokens are kept with probability acceptance ** j.
    """
    drawn = uniform(rule.seed, request, token)
    kept = 0
    while kept < rule.draft and drawn < rule.chances[kept]:
        kept += 1
    return kept + 1


@compiled
def draft_room(one: State, work: Work, marks: Marks, rule: Rule) -> None:
    """Blocks for the drafted tokens of all sequences, and the sums over their contexts; may preempt."""
    number = one.number
    need = _look(one, rule)
    while number[FREE] + number[IDLE] * rule.ratio < need:
        preempt(one, work, marks, rule)
        need = _look(one, rule)
    if need == 0:
        return
    make_room(one, rule, need)
    number[FREE] -= need
    for place in range(number[DECODING]):
        seat = one.drafting[place]
        more = _missing(one, rule, seat)
        one.seat[seat, PRIVATE] += more
        one.seat[seat, ROOM] += more * rule.block


@compiled
def _look(one: State, rule: Rule) -> int:
    """Sum up the contexts of all sequences; returns the blocks that they lack."""
    need, context, window = 0, 0, 0
    for place in range(one.number[DECODING]):
        seat = one.drafting[place]
        length = one.seat[seat, LENGTH]
        context += length
        window += min(length, rule.window)
        need += _missing(one, rule, seat)
    one.number[CONTEXT], one.number[WINDOW] = context, window
    return need


@merged
def _missing(one: State, rule: Rule, seat: int) -> int:
    """Blocks a sequence lacks for its next token and the drafted ones."""
    short = one.seat[seat, LENGTH] + 1 + rule.draft - one.seat[seat, ROOM]
    return blocks_of(rule, short) if short > 0 else 0


@compiled
def draft_results(one: State, work: Work, marks: Marks, rule: Rule) -> int:
    """Give each sequence its tokens; those that are done leave the list and are put into `one.ended`.

    Returns their number; the last to have started to decode comes first.
    """
    kept, ended = 0, 0
    for place in range(one.number[DECODING]):
        seat = one.drafting[place]
        request = one.seat[seat, REQUEST]
        produced = one.seat[seat, LENGTH] - work.input[request] + 1
        left = work.output[request] - produced
        gained = min(left, kept_tokens(rule, request, produced))
        one.seat[seat, LENGTH] += gained
        one.number[PRODUCED] += gained
        if gained == left:
            one.ended[ended] = seat
            ended += 1
        else:
            one.drafting[kept] = seat
            kept += 1
    one.number[DECODING] = kept
    for place in range(ended // 2):
        last = ended - 1 - place
        one.ended[place], one.ended[last] = one.ended[last], one.ended[place]
    return ended
