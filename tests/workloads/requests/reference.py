"""The simulator once more, slowly: sequences are objects, every iteration looks at each of them.

It shares the cost function with the engine and nothing else, and must agree with it to the last bit.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from gigawright.workloads.requests.engine.layout import Policy
from gigawright.workloads.requests.pace import Disaggregated, Pace, iteration_seconds
from gigawright.workloads.requests.traces import Trace

MASK = (1 << 64) - 1


@dataclass
class Request:
    number: int
    arrival: float
    prompt: int
    answer: int
    encoded: int
    rank: int
    prefix: list[int]
    produced: int = 0
    has_cache: bool = False
    was_swapped: bool = False
    first: float = math.nan
    ready: float = math.nan
    finish: float = math.nan
    preempted: int = 0
    cached: int = 0


@dataclass
class Sequence:
    request: Request
    target: int
    done: int
    shared: list[int]
    own_blocks: int
    length: int = 0
    started: int = -1


@dataclass
class Cache:
    """Blocks by key: users of each, and the idle ones in the order they will be evicted."""

    users: dict[int, int] = field(default_factory=dict)
    idle: OrderedDict[int, None] = field(default_factory=OrderedDict)

    def use(self, key: int) -> None:
        self.users[key] = self.users.get(key, 0) + 1
        self.idle.pop(key, None)

    def leave(self, key: int) -> None:
        self.users[key] -= 1
        if self.users[key] == 0:
            self.idle[key] = None

    def forget(self, key: int) -> None:
        del self.users[key]
        self.idle.pop(key, None)


class Replica:
    def __init__(self, pace: Pace, policy: Policy, share: int, ranks: int, start: float) -> None:
        self.pace, self.policy, self.share = pace, policy, share
        self.ratio = max(1, share // pace.block_tokens)
        self.now, self.busy = start, 0.0
        self.queues: list[deque[Request]] = [deque() for _ in range(ranks)]
        self.running: list[Sequence] = []
        self.decoding: list[Sequence] = []
        self.sending: list[Sequence] = []
        self.prefilling: Sequence | None = None
        self.cache = Cache()
        self.own_blocks = 0
        self.starts = self.iterations = self.preemptions = self.produced = self.swapping = 0
        self.peak = 0
        self.cached_tokens = self.prompt_tokens = 0
        self.send_s: float | None = None
        self.link_free = start
        self.ends: list[float] = []
        self.assigned = 0

    def seats_taken(self) -> int:
        return len(self.running) + len(self.sending)

    def free_if_evicted(self) -> int:
        used = len(self.cache.users) - len(self.cache.idle)
        return self.pace.blocks - self.own_blocks - used * self.ratio

    def free(self) -> int:
        return self.pace.blocks - self.own_blocks - len(self.cache.users) * self.ratio

    def take(self, blocks: int) -> None:
        """Own blocks for a sequence, evicting what is idle."""
        self.own_blocks += blocks
        while self.free() < 0:
            self.cache.forget(next(iter(self.cache.idle)))

    def blocks(self, tokens: int) -> int:
        return math.ceil(tokens / self.pace.block_tokens)

    def candidate(self) -> Request | None:
        for queue in self.queues:
            if queue and queue[0].arrival <= self.now:
                return queue[0]
        return None

    def run(self, until: float) -> None:
        while self.now < until and self.iterate(until):
            pass

    def iterate(self, until: float) -> bool:
        while self.sending and self.sending[0].request.ready <= self.now:
            self.release(self.sending.pop(0))
        self.admit_ready()
        before = self.preemptions
        if self.policy.prefill_first:
            work = self.prefill(self.pace.chunk, True)
            decodes = work[0] == 0 and bool(self.decoding) and self.grow()
        else:
            decodes = bool(self.decoding) and self.grow()
            budget = self.pace.chunk - len(self.decoding) * (1 + self.pace.draft_tokens)
            work = self.prefill(budget, self.preemptions == before)
        tokens, pairs, window_pairs, encoded, finished = work
        if tokens == 0 and not decodes:
            return self.wait(until)
        self.peak = max(self.peak, self.pace.blocks - self.free_if_evicted())
        readers = list(self.decoding) if decodes else []
        seconds = iteration_seconds(
            self.pace.rates,
            tokens,
            len(readers) * (1 + self.pace.draft_tokens),
            sum(one.length for one in readers),
            sum(min(one.length, self.pace.window) for one in readers),
            pairs,
            window_pairs,
            encoded,
            int(bool(readers) and self.pace.draft_tokens > 0),
            self.swapping,
        )
        self.now += seconds
        self.busy += seconds
        self.iterations += 1
        self.swapping = 0
        self.decode(readers)
        for one in finished:
            self.first_token(one)
        return True

    def wait(self, until: float) -> bool:
        request = self.candidate()
        times = [queue[0].arrival for queue in self.queues if queue and queue[0].arrival > self.now]
        if request is not None and self.place_for(request) is not None:
            times.append(self.now)
        if self.sending:
            times.append(self.sending[0].request.ready)
        soonest = min(times, default=math.inf)
        if soonest >= until:
            return False
        self.now = soonest
        return True

    def place_for(self, request: Request) -> tuple[int, list[int]] | None:
        """Blocks the request would own and its cached prefix, if there is room for it."""
        if self.seats_taken() >= self.pace.max_sequences:
            return None
        kept = self.pace.watermark_blocks if self.seats_taken() else 0
        if request.has_cache:
            need = self.blocks(request.prompt + request.produced - 1)
            return (need, []) if self.free_if_evicted() - need >= kept else None
        keys = request.prefix[: (request.prompt - 1) // self.share]
        found = []
        for key in keys:
            if key not in self.cache.users:
                break
            found.append(key)
        whole = self.blocks(request.prompt + request.produced)
        in_use = sum(key not in self.cache.idle for key in found)
        if self.free_if_evicted() - (whole - in_use * self.ratio) < kept:
            return None
        return whole - len(keys) * self.ratio, found

    def admit_ready(self) -> None:
        while True:
            request = self.candidate()
            if request is None or not request.has_cache:
                return
            place = self.place_for(request)
            if place is None:
                return
            self.queues[request.rank].popleft()
            self.take(place[0])
            length = request.prompt + request.produced - 1
            if request.was_swapped:
                self.swapping += length
            request.has_cache = request.was_swapped = False
            one = Sequence(request, length, length, [], place[0])
            self.running.append(one)
            self.start_decode(one, length)

    def start_decode(self, one: Sequence, length: int) -> None:
        one.length = length
        one.started = self.starts
        self.starts += 1
        self.decoding.append(one)

    def prefill(self, budget: int, admits: bool) -> tuple[int, int, int, int, list[Sequence]]:
        tokens = pairs = window_pairs = encoded = 0
        finished = []
        while tokens < budget:
            if self.prefilling is None:
                one = self.admit() if admits else None
                if one is None:
                    break
                self.prefilling = one
                encoded += one.request.encoded
            one = self.prefilling
            for _ in range(min(budget - tokens, one.target - one.done)):
                one.done += 1
                tokens += 1
                pairs += one.done
                window_pairs += min(one.done, self.pace.window)
            if one.done == one.target:
                finished.append(one)
                self.prefilling = None
        return tokens, pairs, window_pairs, encoded, finished

    def admit(self) -> Sequence | None:
        request = self.candidate()
        if request is None or request.has_cache:
            return None
        place = self.place_for(request)
        if place is None:
            return None
        own, found = place
        self.queues[request.rank].popleft()
        keys = request.prefix[: (request.prompt - 1) // self.share]
        for key in keys:
            self.cache.use(key)
        self.take(own)
        hits = len(found) * self.share
        if not request.preempted:
            request.cached = hits
        self.cached_tokens += hits
        target = request.prompt + request.produced
        self.prompt_tokens += target
        one = Sequence(request, target, hits, list(keys), own)
        self.running.append(one)
        return one

    def needed(self, one: Sequence) -> int:
        whole = self.blocks(one.length + 1 + self.pace.draft_tokens)
        return max(0, whole - len(one.shared) * self.ratio - one.own_blocks)

    def grow(self) -> bool:
        """Blocks for the next tokens of all that decode; the youngest yield where there are too few."""
        while sum(map(self.needed, self.decoding)) > self.free_if_evicted():
            last = max(one.request.rank for one in self.running)
            self.preempt([one for one in self.running if one.request.rank == last][-1])
        for one in self.decoding:
            need = self.needed(one)
            one.own_blocks += need
            self.take(need)
        return bool(self.decoding)

    def preempt(self, one: Sequence) -> None:
        request = one.request
        if one is self.prefilling:
            self.prefilling = None
            while len(one.shared) > one.done // self.share:
                self.cache.forget(one.shared.pop())
        else:
            self.decoding.remove(one)
            request.produced = one.length - request.prompt + 1
            if self.policy.swap:
                request.has_cache = request.was_swapped = True
                self.swapping += one.length
        request.preempted += 1
        self.preemptions += 1
        self.running.remove(one)
        self.release(one)
        self.queues[request.rank].appendleft(request)

    def release(self, one: Sequence) -> None:
        self.own_blocks -= one.own_blocks
        for key in reversed(one.shared):
            self.cache.leave(key)

    def decode(self, readers: list[Sequence]) -> None:
        over = []
        for one in readers:
            request = one.request
            produced = one.length - request.prompt + 1
            gained = min(self.gain(request.number, produced), request.answer - produced)
            one.length += gained
            self.produced += gained
            if produced + gained == request.answer:
                over.append(one)
        for one in sorted(over, key=lambda one: -one.started):
            self.decoding.remove(one)
            self.end(one)

    def gain(self, number: int, produced: int) -> int:
        """Tokens of a step: one, and the drafted ones up to the first refused."""
        drawn = uniform(self.policy.seed, number, produced)
        kept = 0
        while kept < self.pace.draft_tokens and drawn < self.pace.acceptance ** (kept + 1):
            kept += 1
        return 1 + kept

    def end(self, one: Sequence) -> None:
        one.request.finish = self.now
        self.ends.append(self.now)
        self.running.remove(one)
        self.release(one)

    def first_token(self, one: Sequence) -> None:
        request = one.request
        request.produced += 1
        self.produced += 1
        if request.produced == 1:
            request.first = self.now
        if request.produced == request.answer:
            self.end(one)
        elif self.send_s is not None:
            self.link_free = max(self.link_free, self.now) + self.send_s * one.target
            request.ready = self.link_free
            self.ends.append(self.now)
            self.running.remove(one)
            self.sending.append(one)
        else:
            self.start_decode(one, one.target)

    def outstanding(self, now: float) -> int:
        return self.assigned - sum(end <= now for end in self.ends)


def uniform(seed: int, request: int, token: int) -> float:
    bits = scrambled(seed + 0x9E3779B97F4A7C15)
    bits = scrambled((bits ^ request) + 0x9E3779B97F4A7C15)
    bits = scrambled((bits ^ token) + 0x9E3779B97F4A7C15)
    return (bits >> 11) / 2**53


def scrambled(bits: int) -> int:
    bits &= MASK
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB & MASK
    return bits ^ (bits >> 31)


def requests_of(trace: Trace, policy: Policy) -> list[Request]:
    def prefix(i: int) -> list[int]:
        return trace.keys[trace.offset[i] : trace.offset[i + 1]].tolist() if policy.prefix_cache else []

    return [
        Request(
            i,
            float(trace.arrival_s[i]),
            int(trace.input[i]),
            int(trace.output[i]),
            int(trace.encoded[i]),
            int(trace.rank[i]),
            prefix(i),
        )
        for i in range(len(trace))
    ]


def serve_slowly(
    trace: Trace,
    pace: Pace | Disaggregated,
    replicas: int | tuple[int, int],
    policy: Policy,
    routing: str = "round-robin",
) -> tuple[list[Request], list[list[Replica]]]:
    """All requests after their service, and the replicas of each role."""
    requests = requests_of(trace, policy)
    ranks, start = int(trace.rank.max()) + 1, float(trace.arrival_s[0])

    def group(one: Pace, count: int) -> list[Replica]:
        return [Replica(one, policy, trace.block_tokens, ranks, start) for _ in range(count)]

    def fits(tokens: int, one: Pace) -> bool:
        return math.ceil(tokens / one.block_tokens) <= one.blocks

    if isinstance(pace, Pace):
        assert isinstance(replicas, int)
        pool = group(pace, replicas)
        good = [r for r in requests if fits(r.prompt + r.answer - 1 + pace.draft_tokens, pace)]
        send_to(pool, good, routing, trace.block_tokens)
        return requests, [pool]
    assert isinstance(replicas, tuple)
    first, second = group(pace.prefill, replicas[0]), group(pace.decode, replicas[1])
    for replica in first:
        replica.send_s = pace.transfer_s
    good = [
        r
        for r in requests
        if fits(r.prompt, pace.prefill)
        and fits(r.prompt + r.answer - 1 + pace.decode.draft_tokens, pace.decode)
    ]
    send_to(first, good, routing, trace.block_tokens)
    longer = sorted((r for r in good if r.answer > 1), key=lambda r: r.ready)
    cached = [r.cached for r in longer]
    for request in longer:
        request.arrival, request.has_cache, request.prefix = request.ready, True, []
    send_to(second, longer, "least-loaded" if routing == "least-loaded" else "round-robin", 0)
    for request, tokens in zip(longer, cached, strict=True):
        request.cached = tokens
    return requests, [first, second]


def send_to(pool: list[Replica], requests: list[Request], routing: str, share: int) -> None:
    dispatcher = Dispatcher(pool[0].pace, len(pool), share)
    for place, request in enumerate(requests):
        replica = pool[place % len(pool)]
        if routing == "least-loaded" and len(pool) > 1:
            for one in pool:
                one.run(request.arrival)
            replica = min(pool, key=lambda one: one.outstanding(request.arrival))
        elif routing == "prefix":
            replica = pool[dispatcher.choose(request)]
        replica.queues[request.rank].append(request)
        replica.assigned += 1
    for one in pool:
        one.run(math.inf)


class Dispatcher:
    """Remembers where each prefix went and guesses how much work each replica has."""

    def __init__(self, pace: Pace, replicas: int, share: int) -> None:
        self.prompt_s = float(pace.tokens_s[-1]) / pace.chunk
        self.token_s = float(pace.tokens_s[pace.max_sequences]) / pace.max_sequences
        self.work, self.owner, self.share = [0.0] * replicas, dict[int, int](), share
        self.last: float | None = None

    def choose(self, request: Request) -> int:
        passed = request.arrival - (request.arrival if self.last is None else self.last)
        self.last = request.arrival
        self.work = [max(work - passed, 0.0) for work in self.work]
        least = self.work.index(min(self.work))
        owners = [self.owner.get(key) for key in request.prefix]
        chosen, hits = owners[0] if owners else None, 0
        while hits < len(owners) and chosen is not None and owners[hits] == chosen:
            hits += 1
        saved = hits * (self.share * self.prompt_s)
        if chosen is None or self.work[chosen] - saved > self.work[least]:
            chosen, saved = least, 0.0
        cost = request.prompt * self.prompt_s + request.answer * self.token_s
        self.work[chosen] += max(0.0, cost - saved)
        self.owner |= dict.fromkeys(request.prefix, chosen)
        return chosen
