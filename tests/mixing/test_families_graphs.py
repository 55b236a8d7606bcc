"""Models of PyG: as with a hook written by hand, in float64.

CONTRIBUTING.md says how to install it; where it is missing, its tests are skipped.
"""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.mixing.families import Family, N, assert_as_by_hand, table_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
geometric = pytest.importorskip("torch_geometric.nn")

RING = torch.tensor([[0, 1, 2, 3, 1, 2, 3, 0], [1, 2, 3, 0, 0, 1, 2, 3]])
NODES: dict[str, dict[str, Any]] = {
    "GCN": {},
    "GraphSAGE": {"jk": "cat"},
    "GIN": {"norm": "batch_norm"},
    "GAT": {"heads": 2},
    "PNA": {"aggregators": ["mean", "max"], "scalers": ["identity"], "deg": torch.tensor([0, 4])},
}


def numbers(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("name", NODES)
def test_a_batch_of_nodes_equals_a_hook_written_by_hand(name: str) -> None:
    def build() -> nn.Module:
        options = {"dropout": 0.3, "out_channels": 3} | NODES[name]
        model: nn.Module = getattr(geometric, name)(5, 8, num_layers=3, **options)
        return model

    given = {"x": numbers(N, 5), "edge_index": RING}
    assert_as_by_hand(Family(build, given, table_of("PyG")[name], {}))


def test_the_table_names_what_is_tested() -> None:
    assert table_of("PyG").keys() == NODES.keys()


class OfGraphs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.nodes = geometric.GIN(5, 8, num_layers=2, norm="batch_norm")
        self.pool = geometric.MeanAggregation()
        self.head = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))

    def forward(self, x: Tensor, edge_index: Tensor, batch: Tensor) -> Any:
        return self.head(self.pool(self.nodes(x, edge_index), batch))


def test_a_batch_of_graphs_equals_a_hook_written_by_hand() -> None:
    whole = torch.cat([RING, RING + 4], dim=1)  # 8 nodes of 4 graphs of different sizes
    batch = torch.tensor([0, 1, 1, 2, 2, 2, 3, 3])
    given = {"x": numbers(8, 5), "edge_index": whole, "batch": batch}
    assert_as_by_hand(Family(OfGraphs, given, ("pool", "head.0"), {}))
