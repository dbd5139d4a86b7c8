"""Whatever is typed: done, or exit code 2 with a message; never a traceback, never a store."""

import tempfile
from pathlib import Path
from typing import Any

import pydantic
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.errors import DataError
from data_pipeline.framing import Framing
from data_pipeline.source import DataSource
from experiments.catalogue import CATALOGUE
from search import predict, run, sync
from search.common.errors import DONE, REFUSED_OR_FAILED, WRONG_INPUT, WrongInput
from search.engine.plan import adapt
from search.promote import __main__ as promote
from search.report import __main__ as report

# What a command line may hold: any character but NUL; bytes that are no UTF-8 come as surrogates.
_texts = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"])
    | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF, categories=["Cs"]),
    max_size=20,
)
_numbers = st.one_of(
    st.integers(-2, 200),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.sampled_from(["", "0x10", "1_000", "1e3", "ten", "१२", "1,000"]),
).map(str)
_days = st.dates().map(str) | st.sampled_from(["2014-04-01", "2014-06-31", "0000-00-00", "now"])
_paths = st.sampled_from([".", "/", "/dev/null", "/dev/zero", "none.csv", "a.csv", "~", "../.."])
_urls = st.sampled_from(
    ["sqlite:///x.db", "sqlite:///none/x.db", "sqlite://", "http://", "file:///x", "postgresql://"]
)
_VALUES: dict[str, st.SearchStrategy[str]] = {
    "--trials": _numbers,
    "--window": _numbers,
    "--horizon": _numbers,
    "--epochs": _numbers,
    "--seed": _numbers,
    "--seeds": _numbers,
    "--workers": _numbers,
    "--timeout": _numbers,
    "--max-gap": _numbers,
    "--experiment": st.sampled_from(["smoke", "documents", "slips"]) | _texts,
    "--study": _texts,
    "--data": _paths | _texts,
    "--time": _texts,
    "--target": _texts,
    "--features": _texts,
    "--unit": _texts,
    "--tz": st.sampled_from(["Europe/Berlin", "UTC", "../etc", "Mars/Base"]) | _texts,
    "--date-format": st.sampled_from(["%d.%m.%Y %H:%M", "%", "%Q", ""]) | _texts,
    "--gaps": st.sampled_from(["error", "interpolate"]) | _texts,
    "--resample": st.just("mean") | _texts,
    "--start": _days | _texts,
    "--end": _days | _texts,
    "--storage": _urls | _texts,
    "--tracking-uri": _urls | _texts,
    "--tuner": st.sampled_from(["optuna", "keras-tuner"]) | _texts,
    "--sampler": st.sampled_from(["tpe", "gp", "random", "hyperband"]) | _texts,
    "--pruner": st.sampled_from(["none", "median"]) | _texts,
}


def _options(*names: str) -> st.SearchStrategy[list[str]]:
    # Few at a time: the first that is wrong hides what the others would do.
    one = st.sampled_from(names or tuple(_VALUES)).flatmap(
        lambda name: st.tuples(st.just(name), _VALUES[name])
    )
    chosen = st.lists(one, max_size=3, unique_by=lambda option: option[0])
    return chosen.map(lambda options: [word for option in options for word in option])


def _invoke(command: Any, words: list[str]) -> tuple[Result, list[str]]:
    """Run `command` in a folder with a broken CSV; return what came, and the files that it made."""
    runner = CliRunner()
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        Path("a.csv").write_bytes(b"Date,Usage\n2014-04-01 00:00,1\n\xff\xfe,\n")
        result = runner.invoke(command, words)
        made = [path.name for path in Path.cwd().iterdir() if path.name != "a.csv"]
    return result, made


def _ended_well(result: Result, codes: tuple[int, ...]) -> None:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in codes, result.output
    assert "Traceback" not in result.output
    if result.exit_code != DONE:
        assert result.stderr.strip()


@given(_options())
@settings(max_examples=80)
def test_any_command_line_of_the_search_is_done_or_refused_with_a_message(words: list[str]) -> None:
    result, made = _invoke(run.main, [*words, "--dry-run"])
    _ended_well(result, (DONE, WRONG_INPUT))
    assert not made


@pytest.mark.parametrize("command", [promote.main, report.main, sync.main, predict.main])
def test_any_command_line_of_the_others_is_refused_where_nothing_is(command: Any) -> None:
    known = {option for parameter in command.params for option in parameter.opts}

    @given(_options(*(name for name in _VALUES if name in known)))
    @settings(max_examples=25)
    def refused(words: list[str]) -> None:
        result, made = _invoke(command, words)
        _ended_well(result, (REFUSED_OR_FAILED, WRONG_INPUT))
        assert not made

    refused()


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("model", [Framing, DataSource, type(CATALOGUE["smoke"])])
def test_any_configuration_is_valid_or_names_its_field(model: type[pydantic.BaseModel]) -> None:
    fields = st.sampled_from([*model.model_fields, "no_such_field"])

    @given(st.dictionaries(fields, _anything, min_size=1, max_size=4))
    @settings(max_examples=60)
    def checked(values: dict[str, Any]) -> None:
        try:
            model.model_validate(values)
        except pydantic.ValidationError as error:
            assert error.errors()

    checked()


@given(
    st.dictionaries(
        st.sampled_from(
            [
                *("trials", "epochs", "seed", "framing.window", "framing.horizon", "source.tz"),
                *("source.unit", "source.start", "source.features", "nothing", "framing.nothing"),
            ]
        ),
        _anything,
        min_size=1,
        max_size=3,
    )
)
@settings(max_examples=60)
def test_any_change_of_an_experiment_is_made_or_wrong_input(changes: dict[str, object]) -> None:
    try:
        adapt(CATALOGUE["smoke"], changes)
    except (WrongInput, DataError) as error:
        assert str(error)
