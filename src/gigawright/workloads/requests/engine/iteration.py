"""One replica, iteration by iteration: who is admitted, what is computed, what it takes, who is done.

An iteration in which nobody comes, ends or needs memory that is not free costs a few additions, whatever
the number of sequences; all others go through `_full_iteration`, which reads as the scheduler does.
"""

from __future__ import annotations

from gigawright.workloads.requests import pace
from gigawright.workloads.requests.engine.admission import admit, admit_ready, candidate, next_arrival
from gigawright.workloads.requests.engine.compiled import compiled, merged
from gigawright.workloads.requests.engine.drafting import draft_results, draft_room
from gigawright.workloads.requests.engine.layout import (
    AFTER,
    AT,
    BLOCKED,
    BUSY,
    CALENDAR,
    CONTEXT,
    CROSSED,
    DECODING,
    DUE,
    FINISHED,
    FREE,
    FRESH,
    GROWING,
    HEAD,
    IDLE,
    ITERATIONS,
    LAST_END,
    LATELY,
    LINK_FREE,
    NONE,
    NOW,
    PEAK,
    PHASE,
    PREEMPTED,
    PREFILLED,
    PREFILLING,
    PRODUCED,
    REQUEST,
    RUNNING,
    SAMPLE,
    SAMPLE_AT,
    SAMPLE_BUSY,
    SAMPLE_EVERY,
    SAMPLE_KV,
    SAMPLE_PRODUCED,
    SAMPLE_RUNNING,
    SAMPLE_T,
    SAMPLED,
    SENDING,
    SENT,
    STEP,
    SWAPPING,
    TARGET,
    WINDOW,
    YOUNGER,
    Marks,
    Rule,
    State,
    Work,
)
from gigawright.workloads.requests.engine.pool import make_room
from gigawright.workloads.requests.engine.sequences import (
    give_back,
    preempt,
    start_decode,
    step_out,
    stop_decode,
    strike_event,
)
from gigawright.workloads.requests.pace import Rates

iteration_seconds = compiled(pace.iteration_seconds)


@merged
def advance(one: State, work: Work, marks: Marks, rates: Rates, rule: Rule, until: float, most: int) -> int:
    """Run iterations that start before `until`, `most` of them at most; returns how many are left of those.

    Returns early when there is nothing to do before `until`.
    """
    while one.time[NOW] < until and most > 0:
        most -= _steady(one, work, marks, rates, rule, until, most)
        if one.time[NOW] >= until or most <= 0:
            break
        if not _full_iteration(one, work, marks, rates, rule, until):
            break
        most -= 1
    return most


@compiled
def _steady(one: State, work: Work, marks: Marks, rates: Rates, rule: Rule, until: float, most: int) -> int:
    """Iterations of pure decoding, until somebody may come, ends or must yield; returns their number."""
    number, time = one.number, one.time
    if number[DECODING] == 0 or number[PREFILLING] >= 0 or rule.draft > 0 or number[SWAPPING] > 0:
        return 0
    wake = min(until, time[SAMPLE_AT], next_arrival(one, work))
    now, busy, step, phase = time[NOW], time[BUSY], number[STEP], number[PHASE]
    free, context, window = number[FREE], number[CONTEXT], number[WINDOW]
    decoding, growing = number[DECODING], number[GROWING]
    done, event = 0, NONE
    while now < wake and done < most and event < 0:
        need = one.residue[phase]
        if need > free:
            if free + number[IDLE] * rule.ratio < need:
                break
            number[FREE] = free
            make_room(one, rule, need)
            free = number[FREE]
        free -= need
        seconds = iteration_seconds(rates, 0, decoding, context, window, 0, 0, 0, 0, 0)
        now += seconds
        busy += seconds
        context += decoding
        window += growing
        event = one.day[step & (CALENDAR - 1)]
        step += 1
        phase = phase + 1 if phase + 1 < rule.block else 0
        done += 1
    time[NOW], time[BUSY], number[STEP], number[PHASE] = now, busy, step, phase
    number[FREE], number[CONTEXT], number[WINDOW] = free, context, window
    number[ITERATIONS] += done
    number[PRODUCED] += done * decoding
    _note_peak(one, rule)
    if event >= 0:
        _close_day(one, marks, rule)
    return done


@merged
def _full_iteration(one: State, work: Work, marks: Marks, rates: Rates, rule: Rule, until: float) -> bool:
    """One iteration with all that can happen in it; False where there is nothing to do before `until`."""
    number, time = one.number, one.time
    _end_transfers(one, marks)
    _take_sample(one, rule)
    admit_ready(one, work, marks, rule)
    if rule.prefill_first:
        tokens, pairs, window_pairs, encoded = _prefill(one, work, marks, rule, rule.chunk, True)
        decoding = _grow(one, work, marks, rule) if tokens == 0 else 0
    else:
        before = number[PREEMPTED]
        decoding = _grow(one, work, marks, rule)
        budget = rule.chunk - decoding * (1 + rule.draft)
        calm = number[PREEMPTED] == before
        tokens, pairs, window_pairs, encoded = _prefill(one, work, marks, rule, budget, calm)
    if tokens == 0 and decoding == 0:
        return _wait(one, work, marks, until)
    _note_peak(one, rule)
    context, window = (number[CONTEXT], number[WINDOW]) if decoding > 0 else (0, 0)
    drafts = 1 if decoding > 0 and rule.draft > 0 else 0
    computed, swapping = decoding * (1 + rule.draft), number[SWAPPING]
    seconds = iteration_seconds(
        rates, tokens, computed, context, window, pairs, window_pairs, encoded, drafts, swapping
    )
    time[NOW] += seconds
    time[BUSY] += seconds
    number[ITERATIONS] += 1
    number[SWAPPING] = 0
    if decoding > 0:
        _decode(one, work, marks, rule)
    _first_tokens(one, work, marks, rule)
    return True


@compiled
def _grow(one: State, work: Work, marks: Marks, rule: Rule) -> int:
    """Blocks for the next token of all decoding sequences, the youngest yielding where there are too few.

    Returns how many sequences decode then.
    """
    number = one.number
    if number[DECODING] > 0:
        if rule.draft > 0:
            draft_room(one, work, marks, rule)
        else:
            while number[FREE] + number[IDLE] * rule.ratio < one.residue[number[PHASE]]:
                preempt(one, work, marks, rule)
            need = one.residue[number[PHASE]]
            make_room(one, rule, need)
            number[FREE] -= need
    decoding: int = number[DECODING]
    return decoding


@compiled
def _prefill(
    one: State, work: Work, marks: Marks, rule: Rule, budget: int, admits: bool
) -> tuple[int, int, int, int]:
    """Chunks of prompts, `budget` tokens at most: tokens, pairs, window pairs, encoder tokens."""
    tokens, pairs, window_pairs, encoded = 0, 0, 0, 0
    one.number[PREFILLED] = 0
    while tokens < budget:
        if one.number[PREFILLING] < 0:
            seat = _next_prompt(one, work, marks, rule) if admits else NONE
            if seat < 0:
                break
            one.number[PREFILLING] = seat
            encoded += work.encode[one.seat[seat, REQUEST]]
        seat = one.number[PREFILLING]
        at = one.seat[seat, AT]
        taken = min(budget - tokens, one.seat[seat, TARGET] - at)
        tokens += taken
        pairs += taken * at + taken * (taken + 1) // 2
        if rule.window > 0:
            window_pairs += _seen(at + taken, rule.window) - _seen(at, rule.window)
        one.seat[seat, AT] = at + taken
        if one.seat[seat, AT] == one.seat[seat, TARGET]:
            one.todo[one.number[PREFILLED]] = seat
            one.number[PREFILLED] += 1
            one.number[PREFILLING] = NONE
    return tokens, pairs, window_pairs, encoded


@merged
def _next_prompt(one: State, work: Work, marks: Marks, rule: Rule) -> int:
    """Seat the next request that needs prefill; NONE where there is none or it finds no place."""
    rank = candidate(one, work)
    if rank < 0 or marks.state[one.line[rank, HEAD]] != FRESH:
        return NONE
    seat = admit(one, work, marks, rule, rank)
    if seat < 0:
        one.number[BLOCKED] = rank + 1
    return seat


@merged
def _seen(tokens: int, window: int) -> int:
    """Query-key pairs of the first tokens of a prompt, each seeing itself and the window before it."""
    inside = min(tokens, window)
    return inside * (inside + 1) // 2 + (tokens - inside) * window


@compiled
def _decode(one: State, work: Work, marks: Marks, rule: Rule) -> None:
    """Each decoding sequence gets its token, or its tokens; those that have all leave."""
    number = one.number
    if rule.draft > 0:
        for place in range(draft_results(one, work, marks, rule)):
            _leave(one, marks, one.ended[place])
        return
    number[PRODUCED] += number[DECODING]
    number[CONTEXT] += number[DECODING]
    number[WINDOW] += number[GROWING]
    number[STEP] += 1
    number[PHASE] = (number[PHASE] + 1) % rule.block
    _close_day(one, marks, rule)


@compiled
def _close_day(one: State, marks: Marks, rule: Rule) -> None:
    """What the calendar says of the step just made: windows that are full, sequences that are done.

    Of those that are done, the last to have started to decode gives its blocks back first.
    """
    step = one.number[STEP] - 1
    node = one.day[step & (CALENDAR - 1)]
    while node >= 0:
        following = one.event[node, AFTER]
        if one.event[node, DUE] == step:
            strike_event(one, node)
            if node >= rule.seats:
                one.seat[node - rule.seats, CROSSED] = 1
                one.number[GROWING] -= 1
            else:
                stop_decode(one, rule, node)
                _leave(one, marks, node)
        node = following


@merged
def _leave(one: State, marks: Marks, seat: int) -> None:
    """A sequence is done."""
    marks.finish[one.seat[seat, REQUEST]] = one.time[NOW]
    _count_end(one)
    step_out(one, seat)
    give_back(one, seat)


@merged
def _count_end(one: State) -> None:
    """Count the end of a sequence, and how many ended at the same time."""
    if one.time[LAST_END] != one.time[NOW]:
        one.time[LAST_END] = one.time[NOW]
        one.number[LATELY] = 0
    one.number[LATELY] += 1
    one.number[FINISHED] += 1


@compiled
def _first_tokens(one: State, work: Work, marks: Marks, rule: Rule) -> None:
    """Prompts that are computed yield a token; then they decode, are sent elsewhere to do so, or are done."""
    for place in range(one.number[PREFILLED]):
        seat = one.todo[place]
        request = one.seat[seat, REQUEST]
        marks.produced[request] += 1
        produced = marks.produced[request]
        one.number[PRODUCED] += 1
        if produced == 1:
            marks.first[request] = one.time[NOW]
        left = work.output[request] - produced
        if left == 0:
            _leave(one, marks, seat)
        elif rule.sends:
            _send(one, marks, rule, seat)
        else:
            start_decode(one, rule, seat, one.seat[seat, TARGET], left)


@merged
def _send(one: State, marks: Marks, rule: Rule, seat: int) -> None:
    """Queue a sequence's KV cache for its way to a decode replica; it keeps seat and blocks until then."""
    number, time, request = one.number, one.time, one.seat[seat, REQUEST]
    time[LINK_FREE] = max(time[LINK_FREE], time[NOW]) + rule.transfer_s * one.seat[seat, TARGET]
    marks.ready[request] = time[LINK_FREE]
    _count_end(one)
    step_out(one, seat)
    one.seat[seat, YOUNGER] = NONE
    if number[SENT] >= 0:
        one.seat[number[SENT], YOUNGER] = seat
    else:
        number[SENDING] = seat
    number[SENT] = seat


@merged
def _end_transfers(one: State, marks: Marks) -> None:
    """Sequences whose KV cache has arrived elsewhere give seat and blocks back."""
    number = one.number
    while number[SENDING] >= 0 and marks.ready[one.seat[number[SENDING], REQUEST]] <= one.time[NOW]:
        seat = number[SENDING]
        number[SENDING] = one.seat[seat, YOUNGER]
        if number[SENDING] < 0:
            number[SENT] = NONE
        give_back(one, seat)


@merged
def _wait(one: State, work: Work, marks: Marks, until: float) -> bool:
    """Nothing can be computed now: go to the next arrival or end of a transfer, if that is before `until`."""
    soonest = next_arrival(one, work)
    if one.number[SENDING] >= 0:
        soonest = min(soonest, marks.ready[one.seat[one.number[SENDING], REQUEST]])
    if soonest >= until:
        return False
    one.time[NOW] = max(one.time[NOW], soonest)
    return True


@merged
def _note_peak(one: State, rule: Rule) -> None:
    """Remember the most KV blocks in use."""
    used = rule.blocks - one.number[FREE] - one.number[IDLE] * rule.ratio
    one.number[PEAK] = max(one.number[PEAK], used)


@merged
def _take_sample(one: State, rule: Rule) -> None:
    """Note how the replica stands, once a sample's interval; a full list is thinned to half."""
    number, time, sample = one.number, one.time, one.sample
    if time[NOW] < time[SAMPLE_AT]:
        return
    count = number[SAMPLED]
    if count == len(sample):
        count //= 2
        for place in range(count):
            for column in range(SAMPLE):
                sample[place, column] = sample[2 * place, column]
        time[SAMPLE_EVERY] *= 2
    sample[count, SAMPLE_T] = time[NOW]
    sample[count, SAMPLE_RUNNING] = number[RUNNING]
    sample[count, SAMPLE_KV] = rule.blocks - number[FREE] - number[IDLE] * rule.ratio
    sample[count, SAMPLE_BUSY] = time[BUSY]
    sample[count, SAMPLE_PRODUCED] = number[PRODUCED]
    number[SAMPLED] = count + 1
    time[SAMPLE_AT] = time[NOW] + time[SAMPLE_EVERY]
