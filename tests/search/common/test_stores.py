"""Names, stores and masked passwords."""

import string
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.common.errors import WrongInput
from search.common.stores import check_name, choose_stores, masked, missing_file


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


BAD_NAMES = {
    "empty": "",
    "up": "../x",
    "absolute": "/x",
    "backslash": "a\\b",
    "hidden": ".x",
    "option": "-x",
    "newline": "a\n",
    "null": "a\0b",
    "escape": "\x1b[31m",
    "space": "a b",
    "quote": "a'b",
    "percent": "a%b",
    "accent": "café",
    "digit of another script": "a٣",
    "long": "a" * 300,
}


@pytest.mark.parametrize("case", BAD_NAMES)
def test_p6_unsafe_name_is_refused_naming_the_option(case: str) -> None:
    name = BAD_NAMES[case]
    with pytest.raises(WrongInput, match="--study") as refusal:
        check_name("--study", name)
    text = str(refusal.value)
    assert f"found {len(name)} characters" in text
    assert text.isprintable() and len(text) < 300


@given(st.text(max_size=120) | st.text(string.printable, max_size=120))
def test_p6_only_safe_file_names_are_accepted(name: str) -> None:
    try:
        accepted = check_name("--study", name)
    except WrongInput:
        return
    assert accepted == name
    assert set(name) <= set(string.ascii_letters + string.digits + "._-")
    assert name[0] not in ".-"
    stores = choose_stores(None, None)
    assert stores.spool(name, "0" * 32).resolve().parent == (stores.root / "spool").resolve()
    lock = stores.study_lock(name)
    assert lock.resolve().parent == (stores.root / "locks").resolve()
    assert len(lock.name.encode()) <= 255


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", fullmatch=True))
def test_letters_digits_dots_dashes_and_underscores_are_accepted(name: str) -> None:
    assert check_name("--study", name) == name


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:geheim@host:5432/db", "postgresql://me:***@host:5432/db"),
        ("postgresql+psycopg2://me:geheim@host/db?x=1", "postgresql+psycopg2://me:***@host/db?x=1"),
        ("postgresql://me:ge/he#im@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:geh@eim@host/db", "postgresql://me:***@host/db"),
        ("postgresql://:geheim@host/db", "postgresql://:***@host/db"),
        ("https://me:geheim@[::1]:5000/x", "https://me:***@[::1]:5000/x"),
        (
            "postgresql://host/db?user=me&password=geheim",
            "postgresql://host/db?user=me&password=***",
        ),
        ("--storage=postgresql://me:geheim@host/db", "--storage=postgresql://me:***@host/db"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("sqlite:////data/a:b@c.db", "sqlite:////data/a:b@c.db"),
        ("http://[bad", "http://[bad"),
        ("no url", "no url"),
        ("", ""),
    ],
)
def test_p8_password_in_a_url_is_masked_and_nothing_else(url: str, shown: str) -> None:
    assert masked(url) == shown


@given(
    user=st.text(string.ascii_lowercase, max_size=5),
    password=st.text(min_size=1, max_size=20).map(lambda text: f"<{text}>"),
    quoted=st.booleans(),
)
def test_p8_no_password_survives_masking(user: str, password: str, quoted: bool) -> None:
    written = quote(password, safe="") if quoted else password
    assert masked(f"postgresql://{user}:{written}@host/db") == f"postgresql://{user}:***@host/db"


def test_default_stores_lie_in_one_folder_under_two_names(place: Path) -> None:
    stores = choose_stores(None, None)
    assert stores.storage == f"sqlite:///{place}/mlruns/optuna.db"
    assert stores.tracking == f"sqlite:///{place}/mlruns/mlflow.db"
    assert stores.artifacts == place / "mlruns" / "artifacts"
    assert not (place / "mlruns").exists()


def test_tracking_uri_of_the_environment_is_honoured_and_the_option_goes_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    stores = choose_stores(None, None)
    assert (stores.tracking, stores.artifacts) == ("http://tracking:5000", None)
    assert choose_stores(None, "https://other").tracking == "https://other"


def test_d28_a_refusal_names_the_environment_variable_that_a_value_came_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nonsense")
    with pytest.raises(WrongInput, match="MLFLOW_TRACKING_URI nonsense"):
        choose_stores(None, None)
    with pytest.raises(WrongInput, match="--tracking-uri other"):
        choose_stores(None, "other")


@pytest.mark.parametrize(
    ("storage", "tracking"),
    [
        ("sqlite:///x.db", "sqlite:///x.db"),
        ("sqlite:///x.db", "sqlite:///./x.db"),
        ("sqlite:///{place}/x.db", "sqlite:///x.db"),
        ("sqlite:///x.db", "sqlite+pysqlite:///x.db?timeout=60"),
        ("sqlite:///mlruns/mlflow.db", None),
        (None, "sqlite:///mlruns/optuna.db"),
    ],
)
def test_database_shared_by_both_stores_is_refused(
    place: Path, storage: str | None, tracking: str | None
) -> None:
    (place / "mlruns").mkdir()
    with pytest.raises(WrongInput, match="cannot share a database"):
        choose_stores(storage and storage.format(place=place), tracking)


@pytest.mark.parametrize("tracking", ["somewhere", "file:///somewhere", "sqlite:///none/x.db"])
def test_tracking_uri_that_is_no_store_is_refused(tracking: str) -> None:
    with pytest.raises(WrongInput, match="--tracking-uri"):
        choose_stores(None, tracking)


@pytest.mark.parametrize("storage", ["postgresql://", "postgresql://me:geheim@host"])
def test_p8_a_server_without_a_database_is_refused(storage: str) -> None:
    pytest.importorskip("psycopg", reason="needs the extra `postgres`")
    with pytest.raises(WrongInput, match="names no database") as refusal:
        choose_stores(storage, None)
    assert "geheim" not in str(refusal.value)


@pytest.mark.parametrize(
    ("storage", "said"),
    [
        ("optuna.db", "expected the URL of a database"),
        ("nosuch://me:geheim@host/db", "expected the URL of a database"),
        ("postgresql://me:geheim@host:port/db", "expected the URL of a database"),
        ("oracle://me:geheim@host/db", "driver that is not installed"),
        ("sqlite:///none/x.db", "no folder"),
        ("sqlite://", "one in memory"),
        ("sqlite:///:memory:", "one in memory"),
    ],
)
def test_p8_storage_that_cannot_be_is_refused_without_its_password(storage: str, said: str) -> None:
    with pytest.raises(WrongInput, match=said) as refusal:
        choose_stores(storage, None)
    assert "--storage" in str(refusal.value)
    assert "geheim" not in str(refusal.value)


def test_s5_a_database_has_its_lock_beside_it_wherever_it_is_opened_from(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "shared").mkdir()
    url = f"sqlite:///{place}/shared/studies.db"
    first = choose_stores(url, None).study_lock("mine")
    (place / "elsewhere").mkdir()
    monkeypatch.chdir(place / "elsewhere")
    assert choose_stores(url, None).study_lock("mine") == first
    assert first.parent == place / "shared" / "locks"
    assert choose_stores(None, None).study_lock("mine") != first


def test_printed_commands_repeat_stores_that_are_not_in_the_usual_places(place: Path) -> None:
    assert choose_stores(None, None).words("--storage", "--tracking-uri") == []
    (place / "x").mkdir()
    at = ("sqlite:///x/optuna.db", "http://me:geheim@team:5000")
    said = choose_stores(*at).words("--storage", "--tracking-uri")
    assert said == ["--storage", at[0], "--tracking-uri", "http://me:***@team:5000"]


@pytest.mark.parametrize(
    "other",
    [
        "postgresql+psycopg://me@127.0.0.1/db",
        "postgresql://you:pw@localhost:5432/db?sslmode=disable",
    ],
)
def test_one_database_for_both_stores_is_noticed_in_any_spelling(other: str) -> None:
    pytest.importorskip("psycopg", reason="needs the extra `postgres`")
    with pytest.raises(WrongInput, match="cannot share a database"):
        choose_stores("postgresql://me@localhost/db", other)


def test_every_server_has_locks_of_its_own(place: Path) -> None:
    one, other = (choose_stores(None, f"http://{name}:5000") for name in ("here", "there"))
    assert one.tracking_lock != other.tracking_lock
    assert one.tracking_lock == choose_stores(None, "http://here:5000/").tracking_lock


def test_a_database_as_tracking_uri_says_where_artifacts_are(place: Path) -> None:
    pytest.importorskip("psycopg", reason="needs the extra `postgres`")
    (warning,) = choose_stores(None, "postgresql://me:geheim@host/db").warnings
    assert str(place / "mlruns" / "artifacts") in warning and "geheim" not in warning
    assert choose_stores(None, None).warnings == []
    assert choose_stores(None, "http://host:5000").warnings == []


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite"])
@pytest.mark.parametrize("options", ["", "?timeout=5"])
def test_a_sqlite_database_is_missing_until_its_file_is_there(
    place: Path, scheme: str, options: str
) -> None:
    for path in ("a.db", f"{place}/a.db"):
        assert missing_file(f"{scheme}:///{path}{options}") == path
    (place / "a.db").touch()
    for path in ("a.db", f"{place}/a.db"):
        assert missing_file(f"{scheme}:///{path}{options}") == ""


def test_a_servers_database_is_taken_for_there() -> None:
    assert missing_file("postgresql://me@host/studies") == ""
    assert missing_file("http://tracking:5000") == ""
