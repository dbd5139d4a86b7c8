"""What training costs: the arithmetic by hand, the estimate by what must hold of it."""

from hypothesis import given
from hypothesis import strategies as st

from models.cost import RECURRENT_DROPOUT, epoch_flops, epoch_seconds
from models.parameters import TrialParameters


def _network(units: tuple[int, ...], batch: int = 64, recurrent: float = 0.0) -> TrialParameters:
    return TrialParameters(
        units=units,
        dropout=(0.1,) * len(units),
        l2=0.0,
        recurrent_dropout=recurrent,
        learning_rate=1e-3,
        batch_size=batch,
        patience=1,
        epochs=1,
    )


def test_flops_by_hand() -> None:
    by_hand = 3 * 10 * 5 * (2 * 16 * (6 + 4) * 1 + 2 * 12 * (4 + 3) * 1)
    assert epoch_flops(_network((4, 3)), 10, 5, 6) == by_hand


@given(units=st.integers(1, 512), windows=st.integers(1, 5000), batch=st.integers(1, 256))
def test_more_of_anything_costs_more(units: int, windows: int, batch: int) -> None:
    cost = epoch_seconds(_network((units,), batch), windows, 168, 6)
    assert 0 < cost < epoch_seconds(_network((units + 1,), batch), windows, 168, 6)
    assert cost < epoch_seconds(_network((units, units), batch), windows, 168, 6)
    assert cost < epoch_seconds(_network((units,), batch), windows + batch, 168, 6)
    assert cost <= epoch_seconds(_network((units,), max(1, batch // 2)), windows, 168, 6)


def test_only_what_is_read_costs() -> None:
    short = _network((32,)).model_copy(update={"lookback": 24})
    for cost in (epoch_flops, epoch_seconds):
        assert cost(short, 1451, 168, 6) == cost(_network((32,)), 1451, 24, 6)
        assert cost(short, 1451, 12, 6) == cost(_network((32,)), 1451, 12, 6)


def test_a_measured_network_is_foreseen_to_a_fifth() -> None:
    """The notes' main took 2.1 to 2.5 s an epoch (docs/results.md)."""
    assert 1.9 < epoch_seconds(_network((64, 32)), 1451, 168, 6) < 2.8
    recurrent = epoch_seconds(_network((64, 32), recurrent=0.2), 1451, 168, 6)
    plain = epoch_seconds(_network((64, 32)), 1451, 168, 6)
    assert recurrent == RECURRENT_DROPOUT * plain
