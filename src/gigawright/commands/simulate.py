"""`gigawright simulate`: a load lived through."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from gigawright.errors import UserError

app = App(name="simulate", help="Live through a load, request by request.")


@app.command(name="requests")
def requests(
    *,
    trace: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    model: str,
    system: str,
    replicas: int = 1,
    prefill_replicas: int = 0,
    accelerators: int | None = None,
    precision: Literal["bf16", "fp8", "fp4", "int8", "int4"] = "fp8",
    drafted: int = 0,
    engine: str = "",
    routing: Literal["round-robin", "least-loaded", "prefix"] = "round-robin",
    slo_ttft_ms: float | None = None,
    slo_tpot_ms: float | None = None,
    limit: int | None = None,
    speed: float = 1.0,
    rate: float | None = None,
    sort: bool = False,
    seed: int = 0,
    threads: int = 1,
    prefix_cache: bool = True,
    prefill_first: bool = False,
    swap: bool = False,
    out: Path | None = None,
    html: Path | None = None,
    catalogue: tuple[Path, ...] = (),
    calibration: Path | None = None,
) -> None:
    """Serve a trace of requests on replicas of a model, iteration by iteration, and tell what users felt.

    Parameters
    ----------
    trace
        Azure's CSV, Mooncake's JSON Lines, or CSV or Parquet with arrival_s, input_tokens and output_tokens;
        standard input where it is a hyphen.
    model
        A language model of the catalogue.
    system
        A system or accelerator of the catalogue.
    replicas
        Replicas that serve; with --prefill-replicas, those that decode.
    prefill_replicas
        Replicas of their own for prompts; 0: each replica does both.
    accelerators
        How many a layout may take; default: all of the system. One replica is one worker of the best layout.
    precision
        Format of the weights.
    drafted
        Tokens drafted a step (speculative decoding); 0: none.
    engine
        Such as vllm or sglang, where measurements of it are known.
    routing
        In turn, to the replica with the fewest requests, or to where a prefix went last.
    slo_ttft_ms
        Longest time to the first token that counts as good.
    slo_tpot_ms
        Longest mean time between later tokens that counts as good.
    limit
        Take the first requests only, and read no further.
    speed
        Run the trace's time so many times as fast.
    rate
        Replace the trace's times by a Poisson process of so many requests a second.
    sort
        Put a trace in order of time instead of refusing it.
    seed
        Of random arrivals and of which drafted tokens are accepted.
    threads
        Threads that simulate; the result does not depend on them.
    prefix_cache
        Keep blocks of prompts for later requests that begin alike.
    prefill_first
        Prompts before decoding and alone, instead of chunks beside it.
    swap
        Sequences that must yield go to the host's memory, instead of being computed again.
    out
        A Parquet file to write, one row a request.
    html
        A page to write, with charts over time.
    catalogue
        A CSV file of facts in the catalogue's format, such as your own accelerator's; may be repeated.
    calibration
        A folder that `gigawright calibrate serving` has written; default: the package's own.
    """
    from gigawright.catalogue.own import book_with
    from gigawright.terminal import Telling, tell_requests
    from gigawright.workloads.calibrated import read
    from gigawright.workloads.requests.command import Asked, load, simulate
    from gigawright.workloads.requests.machine import machine_of
    from gigawright.workloads.serving.constants import PRIORS
    from gigawright.workloads.serving.predictor import FAMILY

    _at_least(prefill_replicas, 0, "--prefill-replicas")
    _at_least(1 if accelerators is None else accelerators, 1, "--accelerators")
    _at_least(drafted, 0, "--drafted")
    asked = Asked(
        trace=trace,
        routing=routing,
        ttft_ms=slo_ttft_ms,
        tpot_ms=slo_tpot_ms,
        limit=limit,
        speed=speed,
        rate=rate,
        sort=sort,
        seed=seed,
        threads=threads,
        prefix_cache=prefix_cache,
        prefill_first=prefill_first,
        swap=swap,
        out=out,
        html=html,
    )
    book = book_with(catalogue)
    known = None if calibration is None else read(calibration, FAMILY, PRIORS)
    apart = prefill_replicas > 0
    with Telling() as telling:
        loaded = load(asked, telling)
        machine = machine_of(
            loaded,
            model,
            system,
            book,
            precision=precision,
            accelerators=accelerators,
            apart=apart,
            drafted=drafted,
            engine=engine,
            known=known,
        )
        pools = (prefill_replicas, replicas) if apart else replicas
        answer = simulate(asked, loaded, machine.pace, pools, telling)
        if html is not None:
            from gigawright.report.requests import write_requests

            write_requests(answer, machine.title, html, machine.notes)
    tell_requests(answer, machine.title, machine.notes)


def _at_least(count: int, least: int, option: str) -> None:
    if count < least:
        raise UserError(f"{option} is {count}, must be at least {least}")
