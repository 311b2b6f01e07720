"""The page of a simulation of requests: complete, offline and true to its numbers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from gigawright.report.charts_requests import load_over_time, pool_shares, spread, times_over_time
from gigawright.report.requests import page, write_requests
from gigawright.workloads.requests.command import Answer, Asked, load, simulate
from gigawright.workloads.requests.pace import Disaggregated, Pace
from gigawright.workloads.requests.run import serve
from gigawright.workloads.requests.traces import trace_of

PACE = Pace(0.01 + 2e-5 * np.arange(513), 500, 32)


@pytest.fixture
def answer(tmp_path: Path) -> Answer:
    dice = np.random.default_rng(1)
    times = np.cumsum(dice.exponential(0.05, 400))
    rows = [f"{t:.6f},{i},{o}" for t, i, o in zip(times, *dice.integers(1, 300, (2, 400)), strict=True)]
    trace = tmp_path / "<own>.csv"
    trace.write_text("\n".join(["arrival_s,input_tokens,output_tokens", *rows]) + "\n")
    asked = Asked(trace, ttft_ms=400.0)
    return simulate(asked, load(asked), Disaggregated(PACE, PACE, 1e-5), (1, 2))


def figures(html: str) -> dict[str, dict[str, object]]:
    found = re.findall(r'<script type="application/json" id="data-([a-z]+)">(.*?)</script>', html, re.DOTALL)
    return {name: json.loads(text.replace("<\\/", "</")) for name, text in found}


def test_the_page_has_its_charts_and_numbers(answer: Answer, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    write_requests(answer, "A model on a <system>", out, ["assumed: nothing"])
    html = out.read_text(encoding="utf-8")
    assert set(figures(html)) == {"ttft", "tpot", "spread", "load", "fill"}
    assert "A model on a &lt;system&gt;" in html
    assert "&lt;own&gt;.csv" in html
    assert "assumed: nothing" in html
    assert f"{answer.summary.goodput_share:.1%}" in html
    markup = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?!#|data:)', markup)


def test_lines_lie_between_what_was_felt(answer: Answer) -> None:
    served = answer.served
    chart = times_over_time(served, served.ttft_s, 0.4, "time to first token")
    scale = 1e3 if np.percentile(served.ttft_s, 90) < 1 else 1.0
    for line in chart.data:
        values = np.array([value for value in line.y if value is not None])
        assert values.min() >= served.ttft_s.min() * scale
        assert values.max() <= served.ttft_s.max() * scale
    assert chart.layout.shapes[0].y0 == pytest.approx(0.4 * scale)


def test_nobody_is_under_way_at_the_end(answer: Answer) -> None:
    for line in load_over_time(answer.served).data:
        assert line.y[-1] == 0
        assert min(line.y) >= 0


def test_shares_add_up_to_the_time_worked(answer: Answer) -> None:
    served = answer.served
    at = np.linspace(0, served.makespan_s, 2000) + served.trace.arrival_s[0]
    for pool in served.pools:
        filled, busy = pool_shares(pool, at)
        assert 0 <= filled.min() <= filled.max() <= 1
        assert busy.mean() * served.makespan_s == pytest.approx(pool.busy_s.mean(), rel=0.05)


def test_one_request_of_one_token_has_a_page() -> None:
    served = serve(trace_of([5.0], [10], [1]), PACE, 1)
    assert "no request has" in str(times_over_time(served, served.tpot_s, None, "time per output token"))
    assert len(spread(served).data) == 2


def test_a_page_without_limits_and_with_all_refused(tmp_path: Path) -> None:
    trace = tmp_path / "one.csv"
    trace.write_text("arrival_s,input_tokens,output_tokens\n0,100000,1\n")
    answer = simulate(Asked(trace), load(Asked(trace)), PACE, 1)
    assert "1: longer than the KV cache" in page(answer, "Too long")
