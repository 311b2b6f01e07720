from __future__ import annotations

from dataclasses import replace

import pytest

from gigawright.workloads.architecture import language_model
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.serving.constants import PRIORS
from gigawright.workloads.serving.cost import encoding
from gigawright.workloads.serving.predictor import predict_services
from gigawright.workloads.serving.service import Layout, Service
from gigawright.workloads.serving.sizes import sizes
from gigawright.workloads.vision import encoder_of

from ..conftest import H100

CONSTANTS = {name: prior.value for name, prior in PRIORS.items()}


def asked(**changes: object) -> Service:
    plain = Service(language_model("qwen3-vl-8b"), H100, Layout(tensor=2), 2048, 256, 4, precision="bf16")
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_pictures_take_what_their_encoder_computes() -> None:
    s = sizes([asked(pictures=3, picture_tokens=256)])
    flops = 3 * encoder_of(language_model("qwen3-vl-8b")).flops(256)
    seconds = flops / 2 / (989e12 * CONSTANTS["products"])
    assert encoding(s, CONSTANTS)[0] == pytest.approx(seconds)


def test_pictures_delay_the_first_token_and_those_of_others() -> None:
    plain, seen = predict_services([asked(), asked(pictures=4, picture_tokens=256)])
    assert seen.ttft_s > plain.ttft_s
    assert seen.tpot_s > plain.tpot_s


def test_a_model_without_eyes_says_so() -> None:
    blind = replace(asked(pictures=1, picture_tokens=256), model=language_model("llama-3-8b"))
    with pytest.raises(Unpredictable, match="takes no pictures"):
        sizes([blind])
    assert "takes no pictures" in predict_services([blind])[0].refused
