"""What can be changed between two draws, saved, or asked of a draw: also in a loader's worker."""

import json
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, DataLoader, Dataset

from mixup import MLP, ManifoldMixup
from tests.mixing.samplers import sampler, stream


def test_a_new_alpha_counts_from_the_next_draw_on() -> None:
    source, rng = sampler(alpha=2.0), np.random.default_rng(0)
    for step in range(60):
        if step == 20:
            source.alpha = 0.3
        if step == 40:
            source.beta = 5.0
        rng.random()
        first = 2.0 if step < 20 else 0.3
        assert source.draw(7).lam == rng.beta(first, first if step < 40 else 5.0)
    assert (source.alpha, source.beta) == (0.3, 5.0)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("alpha", 0.0, r"alpha must be > 0 and finite, got 0\.0"),
     ("beta", -1.0, r"beta must be > 0 and finite, got -1\.0"),
     ("probability", 1.5, r"probability must be in \[0, 1\], got 1\.5")],
)  # fmt: skip
def test_settings_are_checked_when_they_change(name: str, value: float, message: str) -> None:
    source = sampler()
    with pytest.raises(ValueError, match=message):
        setattr(source, name, value)
    assert stream(source) == stream(sampler())


@pytest.mark.parametrize("name", ["noise", "pairing", "per_sample", "mixes", "layers"])
def test_other_settings_stay(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(sampler(), name, 1)


def test_a_batch_is_mixed_with_a_probability() -> None:
    source = sampler(probability=0.3)
    plans = [source.draw(4) for _ in range(4000)]
    mixed = [plan for plan in plans if plan.layer is not None]
    assert len(mixed) / 4000 == pytest.approx(0.3, abs=0.03)
    assert {plan.lam for plan in plans if plan.layer is None} == {1.0}
    assert np.mean([float(plan.lam) for plan in mixed]) == pytest.approx(0.5, abs=0.03)
    source.probability = 0.0
    assert {source.draw(4).layer for _ in range(50)} == {None}
    source.probability = 1.0
    assert None not in {source.draw(4).layer for _ in range(50)}
    with pytest.raises(ValueError, match=r"probability must be in \[0, 1\], got -1"):
        sampler(probability=-1)


def test_without_a_probability_draws_are_those_of_before() -> None:
    assert stream(sampler(probability=1.0)) == stream(sampler())


@pytest.mark.parametrize("rows", [[1, 2, 5], torch.tensor([False, True, True, False, False, True])])
@pytest.mark.parametrize("per_sample", [False, True])
def test_only_some_rows_of_a_batch_are_mixed(rows: Any, per_sample: bool) -> None:
    source = sampler(per_sample=per_sample)
    seen = set()
    for _ in range(200):
        plan = source.draw(6, rows=rows)
        assert [plan.perm[i] for i in (0, 3, 4)] == [0, 3, 4]
        assert len(plan.perm) == 6
        seen.add(tuple(plan.perm[[1, 2, 5]].tolist()))
        if per_sample:
            assert plan.lam.shape == (6,)  # type: ignore[union-attr]
    assert len(seen) == 6


@pytest.mark.parametrize(
    ("rows", "message"),
    [([1, 1, 2], "each sample once"), ([-1, 0], "from 0 to 5"), ([0, 6], "from 0 to 5"),
     (torch.tensor([True, True]), r"shape \(6,\), got \(2,\)"), ([[0, 1]], r"got .* \(1, 2\)"),
     ([0.5, 1.0], "integers or booleans")],
)  # fmt: skip
def test_rows_that_are_none_of_the_batch_are_refused(rows: Any, message: str) -> None:
    source = sampler()
    with pytest.raises(ValueError, match=f"rows must .*{message}"):
        source.draw(6, rows=rows)
    assert stream(source) == stream(sampler())


def test_rows_may_be_the_first_and_the_last_and_sizes_numbers_of_numpy() -> None:
    plan = sampler(pairing="derangement").draw(np.int64(6), rows=[0, 5])  # type: ignore[arg-type]
    assert plan.perm.tolist() == [5, 1, 2, 3, 4, 0]
    assert sampler().draw(np.int64(0)).perm.tolist() == []  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", [[], torch.zeros(6, dtype=torch.bool)])
def test_no_rows_leave_the_batch_as_it_is(rows: Any) -> None:
    assert sampler().draw(6, rows=rows).perm.tolist() == [0, 1, 2, 3, 4, 5]


def test_rows_with_noise_are_refused_as_all_of_the_batch_would_get_it() -> None:
    with pytest.raises(ValueError, match="noise would be added to all of the batch"):
        sampler(noise=0.5).draw(6, rows=[0, 1])


@pytest.mark.parametrize(
    ("size", "error"), [(-1, ValueError), (2.5, TypeError), ("4", TypeError), (None, TypeError)]
)
@pytest.mark.parametrize("rows", [None, [0, 1]])
def test_a_batch_size_that_is_none_is_refused(size: Any, error: type[Exception], rows: Any) -> None:
    with pytest.raises(error, match="batch_size must be an int"):
        sampler().draw(size, rows)


@pytest.mark.parametrize("kind", ["MT19937", "Philox", "PCG64", "PCG64DXSM"])
def test_states_of_all_generators_are_json(kind: str) -> None:
    def generator(seed: int) -> np.random.Generator:
        return np.random.Generator(getattr(np.random, kind)(seed))

    source = sampler(seed=generator(3))
    stream(source)
    state = json.loads(json.dumps(source.state_dict()))
    again = sampler(seed=generator(4))
    again.load_state_dict(state)
    assert stream(again) == stream(source)


@pytest.mark.parametrize(
    ("other", "what"),
    [({"alpha": 1.0}, "alpha"), ({"beta": 1.0}, "beta"), ({"noise": 0.1}, "noise"),
     ({"layers": {"a": 1.0, "b": 2.0, "c": 1.0}}, "layers"), ({"layers": {"a": 1.0}}, "layers"),
     ({"layers": {"b": 1.0, "a": 1.0, "c": 1.0}}, "layers"),
     ({"per_sample": True}, "per_sample"), ({"pairing": "halves"}, "pairing"),
     ({"mixes": "labels"}, "mixes"), ({"probability": 0.5}, "probability")],
)  # fmt: skip
def test_the_state_of_another_mixer_is_refused(other: dict[str, Any], what: str) -> None:
    source, state = sampler(), sampler(**other).state_dict()
    with pytest.raises(ValueError, match=f"the state is of a mixer with other {what}: .*, not "):
        source.load_state_dict(state)
    assert stream(source) == stream(sampler())


def test_a_state_with_a_setting_of_another_version_is_refused() -> None:
    state = sampler().state_dict()
    state["settings"] = state["settings"] | {"depth": 3}
    with pytest.raises(ValueError, match="with other depth: 3, not None"):
        sampler().load_state_dict(state)


def test_what_was_changed_is_restored() -> None:
    source = sampler()
    source.alpha, source.probability = 0.5, 0.9
    state = json.loads(json.dumps(source.state_dict()))
    again = sampler(seed=7)
    again.load_state_dict(state)
    assert (again.alpha, again.beta, again.probability) == (0.5, 0.5, 0.9)
    assert stream(again) == stream(source)


def test_states_of_earlier_versions_have_generators_alone() -> None:
    source, again = sampler(seed=5), sampler()
    state = {key: source.state_dict()[key] for key in ("generator", "batch_generator")}
    again.load_state_dict(state)
    assert stream(again) == stream(source)


class Drawn(Dataset[Any]):
    """Draws in `__getitem__`, which is done in a worker."""

    def __init__(self, mixer: ManifoldMixup) -> None:
        self.mixer = mixer

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> tuple[float, list[int]]:
        plan = self.mixer.draw(8)
        return float(plan.lam), plan.perm.tolist()


def test_workers_and_epochs_draw_for_themselves() -> None:
    def epochs(seed: int) -> list[Any]:
        torch.manual_seed(seed)
        mixer = ManifoldMixup(MLP(2, [4], 2), ["hidden.0"], 1.0, seed=0)
        loader = DataLoader(Drawn(mixer), batch_size=None, num_workers=2)
        draws = [draw for _ in range(2) for draw in loader]
        assert mixer.state_dict() == ManifoldMixup(
            MLP(2, [4], 2), ["hidden.0"], 1.0, seed=0
        ).state_dict()  # fmt: skip
        return draws

    draws = epochs(0)
    assert len({lam for lam, _ in draws}) == 12
    assert len({tuple(perm) for _, perm in draws}) > 10
    assert epochs(0) == draws
    assert epochs(1) != draws


def test_mixers_of_one_worker_draw_differently() -> None:
    mixers = [ManifoldMixup(MLP(2, [4], 2), ["hidden.0"], 1.0, seed=seed) for seed in range(2)]
    loader = DataLoader(ConcatDataset(map(Drawn, mixers)), batch_size=None, num_workers=1)
    lams = [lam for lam, _ in loader]
    assert len(set(lams)) == len(lams)


def test_copies_have_all_settings() -> None:
    source = sampler()
    source.alpha = 0.4
    copied = pickle.loads(pickle.dumps(source))
    assert (copied.alpha, stream(copied)) == (0.4, stream(source))
