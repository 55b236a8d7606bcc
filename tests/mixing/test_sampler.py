"""Draws: distributions, seeds, pairings."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch.testing import assert_close

from tests.mixing.samplers import sampler, stream


@pytest.mark.parametrize(("alpha", "beta"), [(1, None), (2.0, None), (0.5, 0.5), (2.0, 5.0)])
@pytest.mark.parametrize("per_sample", [False, True])
def test_lam_is_beta_distributed(alpha: float, beta: float | None, per_sample: bool) -> None:
    source = sampler(alpha=alpha, beta=beta, per_sample=per_sample)
    if per_sample:
        lam = source.draw(20_000).lam.numpy()  # type: ignore[union-attr]
        assert lam.shape == (20_000,)
    else:
        lam = np.array([source.draw(1).lam for _ in range(20_000)])
    assert stats.kstest(lam, stats.beta(alpha, beta or alpha).cdf).pvalue > 0.01


def test_layers_are_equally_likely_or_as_weighted() -> None:
    for weights in ({"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0}, {"a": 1.0, "b": 3.0, "c": 0.5}):
        source = sampler(weights)
        counts = Counter(source.draw(1).layer for _ in range(8000))
        expected = [8000 * weight / sum(weights.values()) for weight in weights.values()]
        assert stats.chisquare([counts[name] for name in weights], expected).pvalue > 0.01


def test_every_permutation_of_three_is_equally_likely() -> None:
    source = sampler()
    counts = Counter(tuple(source.draw(3).perm.tolist()) for _ in range(6000))
    assert len(counts) == 6
    assert stats.chisquare(list(counts.values())).pvalue > 0.01


def test_every_derangement_of_four_is_equally_likely() -> None:
    source = sampler(pairing="derangement")
    counts = Counter(tuple(source.draw(4).perm.tolist()) for _ in range(9000))
    assert len(counts) == 9
    assert all(perm[i] != i for perm in counts for i in range(4))
    assert stats.chisquare(list(counts.values())).pvalue > 0.01


def test_the_only_derangement_of_two_swaps_them() -> None:
    source = sampler(pairing="derangement")
    assert all(source.draw(2).perm.tolist() == [1, 0] for _ in range(20))


@pytest.mark.parametrize(("n", "perm"), [(4, [2, 3, 0, 1]), (5, [2, 3, 4, 0, 1]), (1, [0])])
def test_halves_meet_each_other(n: int, perm: list[int]) -> None:
    assert sampler(pairing="halves").draw(n).perm.tolist() == perm


@pytest.mark.parametrize("pairing", ["random", "derangement", "halves"])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 17])
def test_partners_are_a_permutation_of_any_batch(pairing: str, n: int) -> None:
    perm = sampler(pairing=pairing).draw(n).perm
    assert perm.dtype == torch.int64
    assert sorted(perm.tolist()) == list(range(n))


def test_layer_lam_and_partners_are_independent() -> None:
    source = sampler({"a": 1.0, "b": 1.0})
    plans = [source.draw(2) for _ in range(4000)]
    columns = [[p.layer == "a" for p in plans], [p.lam for p in plans], [p.perm[0] for p in plans]]
    correlations = np.corrcoef(np.array(columns, dtype=float))
    assert np.abs(correlations[np.triu_indices(3, 1)]).max() < 4 / math.sqrt(4000)


def test_a_seed_decides_every_draw_and_nothing_global_does() -> None:
    states = torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]
    first = stream(sampler(seed=3, noise=0.1))
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.random.get_state()[1].tolist() == states[1]  # type: ignore[index, union-attr]
    torch.rand(3)
    assert stream(sampler(seed=3, noise=0.1)) == first
    assert stream(sampler(seed=np.random.SeedSequence(3), noise=0.1)) == first
    assert stream(sampler(seed=np.random.default_rng(3), noise=0.1)) == first
    assert stream(sampler(seed=4, noise=0.1)) != first
    assert stream(sampler(seed=[3, 1], noise=0.1)) != first
    assert stream(sampler(seed=None)) != stream(sampler(seed=None))


@pytest.mark.parametrize("options", [{}, {"per_sample": True, "noise": 0.1}])
def test_the_draws_of_a_seed_are_those_made_one_by_one(options: dict[str, Any]) -> None:
    source = sampler(seed=5, **options)
    rng = np.random.default_rng(5)
    batch_rng = np.random.Generator(rng.bit_generator.jumped())  # type: ignore[attr-defined]
    for step, n in enumerate([*[6] * 70, 4, 6, 6, 4, *[5] * 9, 0, 1, 300, 300, 2**21]):
        plan, k = source.draw(n), int(3 * rng.random())
        assert plan.layer == "abc"[k]
        if options:
            assert_close(plan.lam, torch.from_numpy(batch_rng.beta(2.0, 2.0, n)).float())
        else:
            assert plan.lam == rng.beta(2.0, 2.0)
        assert torch.equal(plan.perm, torch.from_numpy(batch_rng.permutation(n)))
        assert plan.noise_seed == (batch_rng.integers(2**48) if options else 0)
        if step % 11 == 0:
            state = {"generator": rng, "batch_generator": batch_rng}
            expected = {key: value.bit_generator.state for key, value in state.items()}
            saved = source.state_dict()
            assert {key: saved[key] for key in expected} == expected


def test_a_seed_sequence_is_not_used_up() -> None:
    seed = np.random.SeedSequence(3)
    assert stream(sampler(seed=seed)) == stream(sampler(seed=seed))
    assert seed.n_children_spawned == 0


@pytest.mark.parametrize("per_sample", [False, True])
def test_ranks_of_one_seed_agree_whatever_their_batches(per_sample: bool) -> None:
    one, other = sampler(per_sample=per_sample), sampler(per_sample=per_sample)
    for n in (64, 64, 17, 64):
        first, second = one.draw(n), other.draw(64)
        assert first.layer == second.layer
        assert per_sample or first.lam == second.lam


def test_state_is_saved_and_restored() -> None:
    source = sampler(noise=0.1, per_sample=False)
    stream(source)
    state = source.state_dict()
    following = stream(source)
    source.load_state_dict(state)
    assert stream(source) == following
    with pytest.raises(ValueError, match=r"not the state of a mixer: it has the keys \['x'\]"):
        source.load_state_dict({"x": 1})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0}, "alpha must be > 0 and finite, got 0"),
        ({"alpha": -1.0}, r"alpha must be > 0 and finite, got -1\.0"),
        ({"alpha": math.inf}, "alpha must be > 0 and finite, got inf"),
        ({"alpha": math.nan}, "alpha must be > 0 and finite, got nan"),
        ({"beta": 0.0}, r"beta must be > 0 and finite, got 0\.0"),
        ({"pairing": "same"}, "pairing must be one of .*'derangement'.*, got 'same'"),
        ({"mixes": "none"}, "mixes must be one of .*'labels'.*, got 'none'"),
        ({"noise": -0.1}, r"noise must be >= 0 and finite, got -0\.1"),
        ({"beta": math.inf}, "beta must be > 0 and finite, got inf"),
        ({"noise": math.inf}, "noise must be >= 0 and finite, got inf"),
        ({"layers": {"a": math.inf}}, "weight of layer 'a' must be > 0, got inf"),
        ({"layers": {"a": 0.0}}, r"weight of layer 'a' must be > 0, got 0\.0"),
    ],
)
def test_out_of_range_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sampler(**options)
