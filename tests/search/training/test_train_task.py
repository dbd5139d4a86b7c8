"""A task is trained on the data that it asks for, which a process makes once."""

from pathlib import Path

from data_pipeline.framing import Framing
from search.common.records import Task
from search.training.train_task import WorkerContext, WorkerState, _prepared
from tests.data_pipeline.files import series
from tests.search.samples import parameters

FRAMING = Framing(window=24, horizon=3)


def test_each_task_gets_its_inputs_and_they_are_prepared_once() -> None:
    worker = WorkerState(WorkerContext(series(700), FRAMING, 1, None, "", b""))
    changes = parameters().model_copy(update={"inputs": "changes"})
    cycles_task = Task(0, parameters(), 7, Path())
    changes_task = Task(1, changes, 7, Path())
    shorter = Task(2, changes, 7, Path(), FRAMING.model_copy(update={"window": 12}))
    made = [_prepared(worker, task) for task in (cycles_task, changes_task, shorter)]
    assert [one.train.x.shape[1:] for one in made] == [(24, 6), (24, 30), (12, 30)]
    again = [_prepared(worker, task) for task in (cycles_task, changes_task, shorter)]
    assert all(one is other for one, other in zip(made, again, strict=True))
    opened = _prepared(worker, Task(3, changes, 7, Path(), opening=True))
    assert opened.period == "test" and opened.train.x.shape[1:] == (24, 30)
