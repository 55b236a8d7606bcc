"""Which bottlenecks are drawn as a plane, and of which the singular values are taken."""

import pytest

from study.measures import embedding, spectra
from study.paths import RunKey
from tests.training import with_bottleneck


@pytest.mark.parametrize(
    ("size", "own", "has_spectra", "has_picture"),
    [
        (None, None, False, False),
        (1, None, False, False),
        (2, None, False, True),
        (3, None, True, False),
        (12, None, True, False),
        (12, 2, True, False),
        (2, 3, True, False),
        (2, 1, False, False),
    ],
)
def test_no_bottleneck_is_measured_as_a_picture_and_by_its_spectra(
    size, own, has_spectra, has_picture
):
    key, experiment = RunKey("e", "baseline", 0), with_bottleneck(size, own)
    assert spectra.applies(key, experiment) is has_spectra
    assert embedding.applies(key, experiment) is has_picture
