"""MLflow's own autologging of Keras logs every phase of a fit, each as a run within the fit's."""

import warnings

import pytest

from tests.training.resuming.test_noting import small_model
from tfxfer.training import Phase, fit

mlflow = pytest.importorskip("mlflow", reason="needs the extra mlflow")

pytestmark = pytest.mark.slow

PLAN = (
    Phase("head", epochs=2, rate=5e-3, patience=None),
    Phase("top", train=-1, epochs=1, rate="find", optimizer="sgd"),
)
SOLVED = (Phase("head", optimizer="lbfgs"),)


@pytest.fixture(scope="module")
def logged(photos, tmp_path_factory):
    """A fit within a person's run, and one of a head that is solved without."""
    with warnings.catch_warnings():
        # MLflow 3.17 uses what SQLAlchemy 2.1 is to lose.
        warnings.filterwarnings("ignore", "The ``noload`` loader strategy is deprecated")
        yield fitted(photos, tmp_path_factory)


def fitted(photos, tmp_path_factory):
    home = tmp_path_factory.mktemp("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{home / 'runs.db'}")
    mlflow.set_experiment(
        experiment_id=mlflow.create_experiment("fits", artifact_location=(home / "artifacts").as_uri())
    )
    mlflow.keras.autolog(log_models=False)
    try:
        with mlflow.start_run(run_name="mine"):
            log = fit(small_model(), photos, plan=PLAN, batch_size=16, features="cache", progress=False)
            mlflow.log_metrics(log.validation_metrics)
        assert mlflow.active_run() is None
        solved = fit(small_model(), photos, plan=SOLVED, progress=False)
        assert mlflow.active_run() is None
    finally:
        mlflow.keras.autolog(disable=True)
    runs = mlflow.search_runs(output_format="list", order_by=["attributes.start_time ASC"])
    return log, solved, runs


def test_each_phase_is_a_run_within_the_fit_s(logged):
    *_, runs = logged
    names = {run.info.run_id: run.info.run_name for run in runs}
    told = [(run.info.run_name, names.get(run.data.tags.get("mlflow.parentRunId"))) for run in runs]
    mine = [("mine", None), ("head", "mine"), ("top, rates", "mine"), ("top", "mine")]
    assert told == [*mine, ("fit", None), ("head", "fit")]
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_all_epochs_of_all_phases_are_logged_and_counted_on(logged):
    log, _, (_, head, _, top, *_) = logged
    client = mlflow.MlflowClient()
    for run, steps in ((head, [0, 1]), (top, [2])):
        for name, values in log[run.info.run_name].history.items():
            points = client.get_metric_history(run.info.run_id, name)
            assert [(each.step, each.value) for each in points] == [
                (step, pytest.approx(value)) for step, value in zip(steps, values, strict=True)
            ]
    names = [run.data.params["optimizer_name"] for run in (head, top)]
    assert [name.startswith(kind) for name, kind in zip(names, ("adam_w", "sgd"), strict=True)] == [True] * 2
    assert (head.data.params["epochs"], top.data.params["initial_epoch"]) == ("2", "2")


def test_the_person_s_run_is_theirs(logged):
    log, _, (mine, *_) = logged
    assert mine.data.metrics == pytest.approx(log.validation_metrics)


def test_a_head_that_is_solved_is_a_run_too(logged):
    _, solved, (*_, head) = logged
    history = solved["head"].history
    assert head.data.metrics == {name: pytest.approx(value) for name, (value,) in history.items()}
    assert head.data.params == {"optimizer_name": "lbfgs"}
