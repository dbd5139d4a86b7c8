"""Copies of stores that may be changed."""

import shutil
import sqlite3
from pathlib import Path


def copy_stores(place: Path, copy: Path) -> None:
    """Copy the `mlruns` folder of `place` into the existing folder `copy`.

    MLflow keeps the absolute path of every artifact; those are the copy's then.
    """
    shutil.copytree(place / "mlruns", copy / "mlruns")
    connection = sqlite3.connect(copy / "mlruns" / "mlflow.db")
    try:
        tables = connection.execute("select name from sqlite_master where type = 'table'")
        for (table,) in tables.fetchall():
            columns = connection.execute(f"select name from pragma_table_info('{table}')")
            for (column,) in columns.fetchall():
                connection.execute(
                    f'update "{table}" set "{column}" = replace("{column}", ?, ?) '
                    f'where typeof("{column}") = \'text\' and instr("{column}", ?)',
                    (f"{place}/", f"{copy}/", f"{place}/"),
                )
        connection.commit()
    finally:
        connection.close()
