"""What a user says: the study, strict and frozen.

Everything here is read once, with units, at the door; inside, names carry their units. Values with a
range (`{value, low, high, source, note}`) are facts of the study and appear in the report as such.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from gigawright.clock import Quarter, quarters_between
from gigawright.errors import Problem
from gigawright.study.energy import Energy
from gigawright.study.fields import (
    Count,
    DateField,
    MoneyField,
    PowerMW,
    QuarterField,
    RangedCount,
    RangedFactor,
    RangedShare,
    RangedUnitPrice,
    Seconds,
    Share,
)
from gigawright.study.source import Path, Source
from gigawright.study.strict import Strict

Design = Literal["air", "liquid"]
Objective = Literal["cost", "value"]
Precision = Literal["bf16", "fp16", "fp8", "int8", "fp4"]
SequenceLength = Annotated[int, Field(ge=128, le=2_000_000)]
Cluster = Annotated[int, Field(ge=1, le=1_000_000)]


class Horizon(Strict):
    """First and last quarter of the plan; decisions start at `start`."""

    start: QuarterField = Field(description="first quarter, like 2026Q1")
    end: QuarterField = Field(description="last quarter, like 2028Q4")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"the horizon ends ({self.end}) before it starts ({self.start})")
        if self.end - self.start >= 40:
            raise ValueError("the horizon is longer than 40 quarters")
        return self

    @property
    def quarters(self) -> tuple[Quarter, ...]:
        """All quarters of the plan."""
        return quarters_between(self.start, self.end)

    @property
    def years(self) -> tuple[int, ...]:
        """Calendar years the plan touches."""
        return tuple(range(self.start.year, self.end.year + 1))


class Buyer(Strict):
    """Who plans; the rules look at where it is headquartered."""

    name: str = "the buyer"
    headquarters: str = Field(default="China", description="country, as export rules see the buyer")


class Budgets(Strict):
    """What may be spent in each calendar year. Unspent money is not carried over."""

    capital: dict[int, MoneyField] = Field(
        default_factory=dict, description="capital expenditure by year, like {2026: 160 bn CNY}"
    )
    leasing: dict[int, MoneyField] = Field(
        default_factory=dict, description="operating cost for leased accelerators by year"
    )


class ExistingHalls(Strict):
    """What already stands at a site when the horizon starts."""

    air: PowerMW = Field(default=0.0, description="IT power of air-cooled halls")
    liquid: PowerMW = Field(default=0.0, description="IT power of liquid-cooled halls")
    grid: PowerMW = Field(default=0.0, description="grid connection")
    source: str = ""
    confidence: str = "assumption"
    note: str = ""


class SitePlan(Strict):
    """A site of the catalogue that this plan may use."""

    site: str = Field(description="site of the catalogue")
    designs: list[Design] = Field(default=["air", "liquid"], description="hall designs to build")
    build: bool = Field(default=True, description="false where capacity may only be leased")
    domestic_only: bool = Field(
        default=False, description="only domestic systems stand here, at the tariff for such halls"
    )
    max_it: PowerMW | None = Field(default=None, description="most IT power the site can hold")
    existing: ExistingHalls = Field(default_factory=ExistingHalls)


class SystemPlan(Strict):
    """A system of the catalogue that may be bought or leased."""

    system: str = Field(description="system of the catalogue")
    buy: bool = Field(default=True, description="may be bought, for the buyer's own halls")
    lease: bool = Field(default=False, description="may be leased in somebody else's hall")
    lease_term: Annotated[int, Field(ge=1, le=40)] = Field(default=4, description="quarters a lease runs")


class Installed(Strict):
    """Accelerators that stand at a site when the horizon starts."""

    system: str = Field(description="system that stands")
    site: str = Field(description="site of the study where it stands")
    accelerators: RangedCount = Field(description="how many accelerators")
    leased: bool = Field(default=False, description="true where they stand in somebody else's hall")
    since: QuarterField | None = Field(default=None, description="first quarter they serve")
    until: QuarterField | None = Field(default=None, description="last quarter they serve")
    known_from: DateField | None = Field(
        default=None, description="day this was known; left out of earlier plans"
    )


class Commitment(Strict):
    """An order that must be placed: at least so many accelerators delivered by a quarter."""

    system: str = Field(description="system that is ordered")
    accelerators: Count = Field(description="accelerators delivered in all, at least")
    by: QuarterField = Field(description="last quarter of delivery")


class Demand(Strict):
    """How much work users want: a rate at a date, grown by yearly factors, split over regions.

    Either `per_day` (or `history`, a series of the catalogue), or users x requests a day.
    """

    per_day: RangedCount | None = Field(default=None, description="work units a day at `at`")
    history: str | None = Field(
        default=None, description="catalogue series of work units a day, like doubao_daily_tokens"
    )
    share_of_history: RangedShare | None = Field(
        default=None, description="share of the series that is this work"
    )
    users: RangedCount | None = Field(default=None, description="monthly users; default: the regions' own")
    active_share: RangedShare | None = Field(default=None, description="daily over monthly users")
    requests_per_user_day: RangedCount | None = Field(
        default=None, description="requests an active user makes a day"
    )
    at: QuarterField | None = Field(
        default=None, description="the quarter the rate holds; default: the horizon's start"
    )
    growth_per_year: dict[int, RangedFactor] = Field(
        default_factory=dict, description="factor over each calendar year; 1x where absent"
    )
    regions: Literal["users", "assistant", "home"] = Field(
        default="users",
        description="how demand splits: by the users of ByteDance's apps (`users`) or of its `assistant`, as "
        "the catalogue's regions have them, or `home`: no users, any site",
    )
    max_rtt: Seconds = Field(default=0.3, description="longest round trip to the site")
    peak: bool = Field(
        default=True, description="sized for the peak hour (false: batch work, sized for the mean)"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [self.per_day is not None, self.history is not None, self.requests_per_user_day is not None]
        if sum(ways) != 1:
            raise ValueError("give exactly one of `per_day`, `history` or `requests_per_user_day`")
        return self


class WorkloadBase(Strict):
    """What all workloads share. `group` is the name the report adds up by."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="short name: a-z, 0-9 and -")
    group: str = Field(default="", description="group in the report; default: the name")
    model: str = Field(description="model of the catalogue")
    precision: Precision = "fp8"
    software_gain_per_year: RangedFactor | None = Field(
        default=None, description="work an accelerator-hour over that of a year before"
    )
    availability: RangedShare | None = Field(default=None, description="share of accelerator-hours that work")
    headroom: RangedShare | None = Field(
        default=None,
        description="share kept free at the peak hour to hold the p99; default: the catalogue's, and for "
        "llm-serving what response surfaces tell",
    )

    counted: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _priced_by_what_it_makes(self) -> Self:
        value: RangedUnitPrice | None = getattr(self, "value", None)
        if value is not None and value.value[1] not in self.counted:
            made = " or ".join(self.counted)
            raise ValueError(f"`value` is a price per {value.value[1]}; this workload makes {made}s")
        return self


class LLMServing(WorkloadBase):
    """A language model answering requests; prefill and decode are planned apart."""

    counted: ClassVar[tuple[str, ...]] = ("token", "output token")
    family: Literal["llm-serving"]
    demand: Demand
    input_tokens: RangedCount = Field(description="input tokens a request, cached ones included")
    output_tokens: RangedCount = Field(description="output tokens a request")
    cached_share: RangedShare | None = Field(
        default=None, description="input tokens found in the prefix cache"
    )
    tpot_limit: Seconds = Field(
        default=0.05, description="time that 99 in 100 requests may take an output token, on average of each"
    )
    ttft_limit: Seconds = Field(
        default=2.0,
        description="time to the first token that 99 in 100 requests may take, without the network; the "
        "default is that of MLPerf Inference's servers for Llama 2 70B and DeepSeek-R1",
    )
    demand_unit: Literal["tokens", "requests"] = Field(
        default="tokens",
        description="what `per_day` or `history` count: tokens, input and output, or requests",
    )
    value: RangedUnitPrice | None = Field(
        default=None, description="worth of an output token, like 8 CNY per M tokens"
    )

    @model_validator(mode="after")
    def _asks_and_answers(self) -> Self:
        if self.input_tokens.value < 1.0 or self.output_tokens.value < 1.0:
            raise ValueError("a request has at least one input and one output token")
        return self


class Generation(WorkloadBase):
    """Images or videos from a diffusion model; the work unit is one image, or one clip of the model's
    setting."""

    counted: ClassVar[tuple[str, ...]] = ("image", "video", "clip")
    family: Literal["image-generation", "video-generation"]
    demand: Demand
    steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    value: RangedUnitPrice | None = Field(default=None, description="worth of one, like 0.2 CNY per image")


class Recommendation(WorkloadBase):
    """Ranking requests of a feed; the work unit is one request that scores `candidates` items."""

    counted: ClassVar[tuple[str, ...]] = ("ranking", "request")
    family: Literal["recommendation"]
    demand: Demand
    candidates: RangedCount = Field(description="items scored a request")
    value: RangedUnitPrice | None = Field(default=None, description="worth, like 5 CNY per 1,000 rankings")


class TrainingRun(Strict):
    """One training programme: so many tokens by a date; what it does not say is its workload's."""

    name: str
    tokens: RangedCount
    start: QuarterField
    due: QuarterField
    model: str | None = Field(default=None, description="model of the catalogue; default: the workload's")
    precision: Precision | None = Field(default=None, description="default: the workload's")
    seq_len: SequenceLength | None = Field(default=None, description="default: the workload's")
    cluster: Cluster | None = Field(
        default=None, description="accelerators the run uses; default: the workload's"
    )
    batch_tokens: RangedCount | None = Field(
        default=None, description="tokens in a step; default: the workload's"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.due < self.start:
            raise ValueError(f"due ({self.due}) is before start ({self.start})")
        return self


@dataclass(frozen=True)
class TrainingSetting:
    """What decides a training run's pace; `batch_tokens` None leaves the batch to the prediction."""

    model: str
    precision: Precision
    seq_len: int
    cluster: int
    batch_tokens: float | None


class LLMTraining(WorkloadBase):
    """Training: programmes with a date, or a steady stream of work (`demand`, trained tokens a day)."""

    counted: ClassVar[tuple[str, ...]] = ("token", "trained token")
    family: Literal["llm-training"]
    seq_len: SequenceLength = 8192
    cluster: Cluster = Field(default=8192, description="accelerators a run uses")
    batch_tokens: RangedCount | None = Field(
        default=None, description="tokens in a step, like 64M; default: 2^24, about 16.8 M"
    )
    programmes: list[TrainingRun] = Field(default_factory=list)
    demand: Demand | None = None
    value: RangedUnitPrice | None = Field(default=None, description="worth, like 40 CNY per M tokens")
    goodput: RangedShare | None = Field(default=None, description="productive share of a run's time")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.programmes) == (self.demand is not None):
            raise ValueError("give either `programmes` or `demand`")
        return self

    def setting(self, run: TrainingRun | None = None) -> TrainingSetting:
        """The setting of a programme, or of the steady stream of work: its own words come first."""
        names = ("model", "precision", "seq_len", "cluster", "batch_tokens")
        said = {name: getattr(run, name, None) or getattr(self, name) for name in names}
        batch: RangedCount | None = said.pop("batch_tokens")
        return TrainingSetting(**said, batch_tokens=batch.value if batch else None)


Workload = Annotated[LLMServing | Generation | Recommendation | LLMTraining, Field(discriminator="family")]


class Staff(Strict):
    """A role of the catalogue to plan for."""

    role: str


class CatalogueRow(Strict):
    """A fact the study adds or overrides."""

    kind: str
    item: str
    attribute: str
    value: float | int | str
    unit: str = ""
    low: float | int | None = None
    high: float | int | None = None
    source: str = "the study"
    confidence: Literal["A", "B", "C", "D", "derived", "assumption"] = "assumption"
    known_from: DateField | None = None
    note: str = ""


class Rules(Strict):
    """Hard rules of the programme beside budgets, law and supply."""

    domestic_share_min: Share | None = Field(
        default=None, description="least share of bought accelerators' capital spent on domestic ones"
    )
    green_share: bool = Field(default=True, description="keep each site's green-power rule")
    serve_at_least: dict[str, Share] = Field(
        default_factory=dict,
        description="least share of a group's demand to serve in every quarter, by group",
    )


class Reported(Strict):
    """A reported figure of the programme to show beside what the plan pays in a year."""

    fact: str = Field(description="item of the kind programme in the catalogue, a sum of money")
    to: Literal["capital", "accelerators", "leasing"] = Field(
        description="what of the plan it is held against"
    )
    year: int


class Study(Strict):
    """A programme to plan: horizon, money, places, machines, work and rules."""

    _source: Source | None = PrivateAttr(default=None)

    name: str
    description: str = ""
    horizon: Horizon
    as_of: DateField | None = Field(
        default=None, description="the day whose knowledge is used; default: all there is"
    )
    compare_as_of: list[DateField] = Field(
        default_factory=list, description="earlier days to plan for as well, so that hindsight shows"
    )
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$", description="currency of the report")
    buyer: Buyer = Field(default_factory=Buyer)
    objective: Objective = Field(
        default="value",
        description="`value`: serve what is worth more than it costs; `cost`: work left undone is priced at "
        "a hundred times its worth, so that nearly all that can be served is, at least cost",
    )
    discount_rate: RangedShare | None = None
    budgets: Budgets = Field(default_factory=Budgets, description="what may be spent")
    compare_reported: list[Reported] = Field(
        default_factory=list, description="reported figures shown beside the plan's own; never a constraint"
    )
    sites: list[SitePlan] = Field(min_length=1)
    systems: list[SystemPlan] = Field(
        default_factory=list, description="systems to buy or lease; needed to plan, not for energy alone"
    )
    supply: list[str] = Field(
        default_factory=list,
        description="pools of the catalogue that deliver: with any named, a system comes only from a pool; "
        "with none, supply is unlimited",
    )
    installed: list[Installed] = Field(default_factory=list)
    commitments: list[Commitment] = Field(default_factory=list)
    workloads: list[Workload] = Field(
        default_factory=list, description="work to be done; needed to plan, not for energy alone"
    )
    energy: Energy = Field(default_factory=Energy)
    staff: list[Staff] = Field(default_factory=list)
    rules: Rules = Field(default_factory=Rules)
    catalogue: list[CatalogueRow] = Field(default_factory=list, description="facts added to the catalogue")
    seed: Annotated[int, Field(ge=0)] = 1

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        runs = [f"{w.name}:{run.name}" for w in self.workloads for run in getattr(w, "programmes", ())]
        for what, names in (
            ("workloads", [workload.name for workload in self.workloads]),
            ("training runs", runs),
            ("sites", [plan.site for plan in self.sites]),
            ("systems", [plan.system for plan in self.systems]),
            ("supply pools", self.supply),
            ("roles", [staff.role for staff in self.staff]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what} are named once each; seen twice: {', '.join(twice)}")
        return self

    @property
    def missing_for_a_plan(self) -> tuple[str, ...]:
        """What a plan needs and this study leaves out; a study of energy alone needs none of it."""
        parts = {"budgets": self.budgets.capital, "systems": self.systems, "workloads": self.workloads}
        return tuple(name for name, said in parts.items() if not said)

    def problem(self, path: Path, message: str, suggestion: str = "") -> Problem:
        """A problem at its line of the study's file, where the study was read from one."""
        if self._source is not None:
            return self._source.problem(path, message, suggestion)
        return Problem(".".join(map(str, path)), message, suggestion=suggestion)

    def installed_by(self, as_of: dt.date | None) -> tuple[Installed, ...]:
        """What stands without any order, as far as it was known on a day."""
        return tuple(
            row
            for row in self.installed
            if as_of is None or row.known_from is None or row.known_from <= as_of
        )

    @property
    def knowledge_dates(self) -> tuple[dt.date | None, ...]:
        """The days to plan for: `as_of` first, then those to compare with."""
        return (self.as_of, *self.compare_as_of)
