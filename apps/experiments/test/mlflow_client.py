"""What users of MLflow do, done by MLflow's own client: one function a habit, one line of JSON on standard output for each.

Usage: mlflow_client.py <tracking URI>
"""

import concurrent.futures
import hashlib
import json
import math
import os
import sys
import tempfile
import traceback
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

REQUIREMENTS = ["scikit-learn", "onnx"]


def raises(code, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except MlflowException as error:
        assert error.error_code == code, (error.error_code, str(error))
        return str(error)
    raise AssertionError(f"{call.__name__} was not refused")


def training_data():
    x, y = make_classification(n_samples=200, n_features=4, random_state=7)
    return pd.DataFrame(x, columns=["a", "b", "c", "d"]), y


def experiments(client):
    assert client.get_experiment("0").name == "Default"
    chosen = mlflow.set_experiment("habits")
    assert mlflow.set_experiment("habits").experiment_id == chosen.experiment_id
    client.set_experiment_tag(chosen.experiment_id, "team", "ops")
    assert client.get_experiment(chosen.experiment_id).tags["team"] == "ops"
    client.delete_experiment_tag(chosen.experiment_id, "team")
    other = client.create_experiment("short-lived", tags={"kind": "trial"})
    raises("RESOURCE_ALREADY_EXISTS", client.create_experiment, "short-lived")
    client.rename_experiment(other, "renamed")
    assert client.get_experiment_by_name("renamed").experiment_id == other
    assert client.get_experiment_by_name("short-lived") is None
    client.delete_experiment(other)
    raises("INVALID_PARAMETER_VALUE", mlflow.set_experiment, "renamed")
    assert [e.name for e in client.search_experiments(view_type=ViewType.DELETED_ONLY)] == ["renamed"]
    client.restore_experiment(other)
    found = client.search_experiments(filter_string="tags.kind = 'trial'", order_by=["name ASC"])
    assert [e.experiment_id for e in found] == [other]
    return {"experimentId": chosen.experiment_id}


def run_life(client):
    with mlflow.start_run(run_name="outer", tags={"stage": "trial"}, description="a run") as outer:
        with mlflow.start_run(run_name="inner", nested=True) as inner:
            mlflow.log_param("depth", 3)
        mlflow.log_params({"alpha": 0.5, "name": "größe", "long": "x" * 6000})
        mlflow.set_tags({"a.b/c": "1", "note": "n" * 100})
        message = raises("INVALID_PARAMETER_VALUE", mlflow.log_param, "alpha", 0.7)
        assert "Changing param values is not allowed" in message, message
        for step, value in enumerate([0.1, math.nan, math.inf, -math.inf, 0.4]):
            mlflow.log_metric("odd", value, step=step)
    run = client.get_run(outer.info.run_id)
    assert run.info.status == "FINISHED" and run.info.end_time >= run.info.start_time
    assert run.data.params["name"] == "größe" and run.data.tags["stage"] == "trial"
    assert run.data.metrics["odd"] == 0.4
    history = [metric.value for metric in client.get_metric_history(outer.info.run_id, "odd")]
    assert history[0] == 0.1 and math.isnan(history[1]) and history[2] > 1e308 and history[3] < -1e308, history
    assert client.get_run(inner.info.run_id).data.tags["mlflow.parentRunId"] == outer.info.run_id
    with mlflow.start_run(run_id=outer.info.run_id):
        assert client.get_run(outer.info.run_id).info.status == "RUNNING"
        mlflow.log_metric("late", 1)
    client.set_terminated(outer.info.run_id, status="KILLED")
    client.update_run(outer.info.run_id, name="other")
    assert client.get_run(outer.info.run_id).info.run_name == "other"
    client.delete_tag(outer.info.run_id, "note")
    raises("RESOURCE_DOES_NOT_EXIST", client.delete_tag, outer.info.run_id, "note")
    client.delete_run(inner.info.run_id)
    assert client.get_run(inner.info.run_id).info.lifecycle_stage == "deleted"
    client.restore_run(inner.info.run_id)
    raises("RESOURCE_DOES_NOT_EXIST", client.get_run, "0" * 32)


def batches(client):
    run = client.create_run(mlflow.get_experiment_by_name("habits").experiment_id)
    metrics = [Metric("loss", 1 / (step + 1), 1000 + step, step) for step in range(900)]
    client.log_batch(run.info.run_id, metrics, [Param("p", "1")], [RunTag("t", "1")])
    mlflow.log_metrics({"extra": 2.0}, step=1, run_id=run.info.run_id, synchronous=False).wait()
    with mlflow.start_run(run_id=run.info.run_id):
        mlflow.log_metrics({f"m{index}": index for index in range(1500)})
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 900
    assert len(client.get_run(run.info.run_id).data.metrics) == 1502
    client.log_batch(run.info.run_id, [Metric("many", 1, 1, step) for step in range(2500)])
    assert len(client.get_metric_history(run.info.run_id, "many")) == 2500


def threads(client):
    run_id = client.create_run(mlflow.get_experiment_by_name("habits").experiment_id).info.run_id

    def log(worker):
        for step in range(10):
            client.log_metric(run_id, f"m{worker}", step, step=step)
            client.log_metric(run_id, "shared", worker, step=worker * 10 + step)
        client.log_param(run_id, f"p{worker}", worker)
        client.set_tag(run_id, f"t{worker}", worker)

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        list(pool.map(log, range(50)))
    run = client.get_run(run_id)
    assert run.data.params == {f"p{worker}": str(worker) for worker in range(50)}
    assert all(run.data.tags[f"t{worker}"] == str(worker) for worker in range(50))
    assert {key: value for key, value in run.data.metrics.items() if key != "shared"} == {f"m{w}": 9 for w in range(50)}
    assert sorted(metric.step for metric in client.get_metric_history(run_id, "shared")) == list(range(500))
    assert all(len(client.get_metric_history(run_id, f"m{worker}")) == 10 for worker in range(50))


def search(client):
    experiment_id = client.create_experiment("searched")
    for index in range(25):
        run = client.create_run(experiment_id, start_time=index + 1, run_name=f"run {index}")
        client.log_metric(run.info.run_id, "auc", index / 100)
        client.log_param(run.info.run_id, "kind", "even" if index % 2 == 0 else "odd")
    frame = mlflow.search_runs([experiment_id], "metrics.auc >= 0.1 and params.kind = 'odd'", order_by=["metrics.auc DESC"])
    assert list(frame["metrics.auc"]) == [0.23, 0.21, 0.19, 0.17, 0.15, 0.13, 0.11]
    seen, token = [], None
    while True:
        page = client.search_runs([experiment_id], max_results=10, page_token=token)
        seen += [run.info.run_name for run in page]
        token = page.token
        if not token:
            break
    assert seen == [f"run {index}" for index in reversed(range(25))]
    raises("INVALID_PARAMETER_VALUE", client.search_runs, [experiment_id], "metrics.auc > 1 OR metrics.auc < 0")
    assert len(mlflow.search_runs(search_all_experiments=True)) >= 25


def artifacts(client):
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run() as run:
        root = Path(folder, "in")
        big = os.urandom(20_000_000)
        files = {"a.txt": b"a", "deep/er/b.bin": b"\x00\xff", "odd name ü.txt": "ü".encode(), "empty": b"", "big.bin": big}
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        mlflow.log_artifacts(str(root), "files")
        mlflow.log_text("hello", "notes/hello.txt")
        mlflow.log_dict({"a": [1, 2]}, "notes/a.json")
        mlflow.log_table({"x": [1, 2]}, "table.json")
        mlflow.log_table({"x": [3]}, "table.json")
        names = [entry.path for entry in client.list_artifacts(run.info.run_id)]
        assert names == ["files", "notes", "table.json"], names
        assert [(e.path, e.is_dir, e.file_size) for e in client.list_artifacts(run.info.run_id, "files/deep/er")] == [
            ("files/deep/er/b.bin", False, 2)
        ]
        got = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="files", dst_path=folder + "/out"))
        assert {str(p.relative_to(got)): p.read_bytes() for p in got.rglob("*") if p.is_file()} == files
        assert mlflow.artifacts.load_text(run.info.artifact_uri + "/notes/hello.txt") == "hello"
        assert list(mlflow.load_table("table.json", run_ids=[run.info.run_id])["x"]) == [1, 2, 3]
    return {"runId": run.info.run_id, "sha256": hashlib.sha256(big).hexdigest()}


def inputs(client):
    frame, target = training_data()
    dataset = mlflow.data.from_pandas(frame, source="s3://flights/c4d1a7e0b2/months/01.parquet", name="months-1")
    with mlflow.start_run() as run:
        mlflow.log_input(dataset, context="training", tags={"split": "all"})
        mlflow.log_input(dataset, context="training")
    (logged,) = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert logged.dataset.name == "months-1" and logged.dataset.digest == dataset.digest
    assert "s3://flights/c4d1a7e0b2/months/01.parquet" in logged.dataset.source
    assert {tag.key: tag.value for tag in logged.tags} == {"mlflow.data.context": "training", "split": "all"}
    assert json.loads(logged.dataset.schema)["mlflow_colspec"][0]["name"] == "a"
    found = client.search_runs([run.info.experiment_id], "dataset.name = 'months-1' and dataset.context = 'training'")
    assert [found_run.info.run_id for found_run in found] == [run.info.run_id]
    return {"runId": run.info.run_id}


def sklearn_autolog(client):
    frame, target = training_data()
    mlflow.sklearn.autolog(log_model_signatures=True)
    try:
        with mlflow.start_run() as run:
            model = LogisticRegression(C=0.5).fit(frame, target)
            model.score(frame, target)
    finally:
        mlflow.sklearn.autolog(disable=True)
    logged = client.get_run(run.info.run_id)
    assert logged.data.params["C"] == "0.5"
    assert logged.data.metrics["training_accuracy_score"] == model.score(frame, target)
    assert "LogisticRegression_score_frame" in logged.data.metrics, logged.data.metrics
    assert logged.data.tags["estimator_name"] == "LogisticRegression"
    assert logged.inputs.dataset_inputs[0].tags[0].value == "train"
    (output,) = logged.outputs.model_outputs
    found = client.get_logged_model(output.model_id)
    assert str(found.status) == "READY" and found.source_run_id == run.info.run_id, found
    assert found.params["C"] == "0.5" and {m.key for m in found.metrics} >= {"training_accuracy_score"}
    loaded = mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model")
    assert np.array_equal(loaded.predict(frame), model.predict(frame))
    return {"runId": run.info.run_id, "modelId": output.model_id}


def onnx_model(client):
    from skl2onnx import to_onnx

    frame, target = training_data()
    model = LogisticRegression().fit(frame.to_numpy(np.float32), target)
    onnx = to_onnx(model, frame.to_numpy(np.float32)[:1], options={"zipmap": False})
    with mlflow.start_run() as run:
        info = mlflow.onnx.log_model(
            onnx, name="late-arrivals", params={"C": 1.0}, tags={"team": "ops"}, pip_requirements=REQUIREMENTS
        )
        mlflow.log_metric("auc", 0.9, model_id=info.model_id)
        message = raises("INVALID_PARAMETER_VALUE", mlflow.sklearn.log_model, model, name="a/b", pip_requirements=REQUIREMENTS)
        assert "a/b" in message
        scikit = mlflow.sklearn.log_model(model, name="scikit", pip_requirements=REQUIREMENTS)
    loaded = mlflow.onnx.load_model(info.model_uri)
    assert loaded.SerializeToString() == onnx.SerializeToString()
    assert np.array_equal(mlflow.sklearn.load_model(scikit.model_uri).predict(frame), model.predict(frame.to_numpy()))
    pyfunc = mlflow.pyfunc.load_model(info.model_uri)
    assert len(pyfunc.predict(frame.to_numpy(np.float32))["label"]) == 200
    found = mlflow.search_logged_models([run.info.experiment_id], "name = 'late-arrivals' and metrics.auc > 0.5", output_format="list")
    assert [found_model.model_id for found_model in found] == [info.model_id]
    client.set_logged_model_tags(info.model_id, {"stage": "candidate"})
    client.delete_logged_model_tag(info.model_id, "team")
    assert client.get_logged_model(info.model_id).tags["stage"] == "candidate"
    paths = {entry.path for entry in client.list_logged_model_artifacts(info.model_id)}
    assert {"MLmodel", "model.onnx"} <= paths, paths
    pending = client.create_logged_model(run.info.experiment_id, name="never-uploaded", source_run_id=run.info.run_id)
    client.finalize_logged_model(pending.model_id, "FAILED")
    client.delete_logged_model(pending.model_id)
    raises("RESOURCE_DOES_NOT_EXIST", client.get_logged_model, pending.model_id)
    return {"runId": run.info.run_id, "modelId": info.model_id}


HABITS = [experiments, run_life, batches, threads, search, artifacts, inputs, sklearn_autolog, onnx_model]


def main(tracking_uri):
    mlflow.set_tracking_uri(tracking_uri)
    client = MlflowClient()
    for habit in HABITS:
        try:
            outcome = {"result": habit(client)}
        except Exception:
            outcome = {"error": traceback.format_exc()}
        print(json.dumps({"habit": habit.__name__, **outcome}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
