"""Acts 4 and 5: the champion answers, and the traffic is watched."""

from dataclasses import dataclass

import mlflow
import numpy as np
import onnxruntime
import pandas as pd
from sklearn.metrics import roc_auc_score

import act_data
import flights
from stage import Stage
from story import now

REQUEST_ROWS = 100
WINDOW_ROWS = 4_000
# One standard deviation of the reference. January, February and March, each against all three, move by 0.39 at most,
# and no feature but the temperature by more than 0.5 in any month up to August: it takes another season to exceed it.
WASSERSTEIN_MAX = 1.0
JENSEN_SHANNON_MAX = 0.1
# Between what the good models reach on any window here (0.664 at least) and what the bad one does (0.619).
AUC_MIN = 0.65
DIFFERENCE_MAX = 1e-5


@dataclass(frozen=True)
class Traffic:
    """A window's worth of requests and their answers."""

    rows: pd.DataFrame
    probabilities: np.ndarray
    request_ids: list[str]
    at: str  # a moment after the last answer

    @property
    def auc(self) -> float:
        return float(roc_auc_score(self.rows[flights.LABEL], self.probabilities))


def window_of(months: list[int]) -> pd.DataFrame:
    """The flights of one window: a sample of the months, always the same one."""
    return flights.months(months).sample(WINDOW_ROWS, random_state=1).reset_index(drop=True)


def send(stage: Stage, rows: pd.DataFrame) -> Traffic:
    """Sends the rows to the endpoint, a hundred a request, by the Open Inference Protocol."""
    answers = [
        stage.author.mledger.infer(stage.names.model, rows.iloc[start : start + REQUEST_ROWS])
        for start in range(0, len(rows), REQUEST_ROWS)
    ]
    return Traffic(
        rows=rows,
        probabilities=np.concatenate([probabilities for _, probabilities, _ in answers]),
        request_ids=[request_id for request_id, _, _ in answers],
        at=now(),
    )


def reference_columns(stage: Stage, commit: str) -> dict[str, list[float]]:
    """The reference rows as they were committed; monitoring keeps them with the commit they come from."""
    stored = stage.author.s3().get_object(Bucket=stage.names.repository, Key=f"{commit}/{act_data.REFERENCE_PATH}")
    return pd.read_csv(stored["Body"])[list(flights.FEATURES)].to_dict(orient="list")


def send_labels(stage: Stage, traffic: Traffic) -> None:
    """Tells how the flights arrived, as it becomes known days later."""
    labels = traffic.rows[flights.LABEL].astype(int).tolist()
    stage.author.mledger.post(
        f"endpoints/{stage.names.model}/labels",
        [
            {"requestId": traffic.request_ids[index // REQUEST_ROWS], "row": index % REQUEST_ROWS, "label": label}
            for index, label in enumerate(labels)
        ],
    )


def wait_for_version(stage: Stage, version: int) -> None:
    """Waits until a version gets all of the endpoint's traffic: it follows the alias by an event."""
    uri = f"models:/{stage.names.model}/{version}"

    def serves(endpoint: dict) -> bool:
        models = {revision["revision"]: revision["model"] for revision in endpoint["revisions"]}
        return [(models[share["revision"]], share["percent"]) for share in endpoint["shares"]] == [(uri, 100)]

    stage.author.mledger.wait_for(f"endpoints/{stage.names.model}", serves, f"{uri} to be served")


def local_answers(stage: Stage, version: int, rows: pd.DataFrame) -> np.ndarray:
    """What the registered graph says, run here."""
    graph = mlflow.onnx.load_model(f"models:/{stage.names.model}/{version}")
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    return session.run(None, {name: rows[name].to_numpy() for name in flights.FEATURES})[0]


def serving(stage: Stage, version: int) -> None:
    """Both protocols give what the registered graph gives."""
    story = stage.story
    story.act(4, "Serving: the promotion deployed it")
    wait_for_version(stage, version)
    rows = flights.month_table(4).head(REQUEST_ROWS)
    expected = local_answers(stage, version, rows)
    _, inferred, answering = stage.author.mledger.infer(stage.names.model, rows)
    invoked = stage.author.mledger.invocations(stage.names.model, rows)
    story.check("version of the answer", answering == str(version), answering)
    for protocol, answer in (("/v2/models/…/infer", inferred), ("/endpoints/…/invocations", invoked)):
        difference = float(np.abs(np.array(answer) - expected).max())
        story.check(f"{protocol} answers as the graph does", difference < DIFFERENCE_MAX, f"{difference:.1e} at most")


def monitor(stage: Stage, commit: str) -> dict:
    """Watches each feature by name against a sample of the training data at its commit, and the AUC of late labels."""
    return {
        "endpoint": stage.names.model,
        "windowRows": WINDOW_ROWS,
        "reference": {
            "repository": stage.names.repository,
            "commit": commit,
            "paths": [act_data.REFERENCE_PATH],
            "columns": reference_columns(stage, commit),
        },
        "features": [
            {"feature": name, "kind": "categorical", "method": "js", "threshold": JENSEN_SHANNON_MAX}
            if name in flights.CATEGORICAL
            else {"feature": name, "kind": "numeric", "method": "wasserstein", "threshold": WASSERSTEIN_MAX}
            for name in flights.FEATURES
        ],
        "driftShare": 0.1,
        "performance": {"metric": "auc", "atLeast": AUC_MIN},
    }


def monitoring(stage: Stage, commit: str) -> None:
    """Traffic like the reference raises nothing; April, May and June are another season."""
    story = stage.story
    story.act(5, "Monitoring: winter's model sees spring")
    stage.author.mledger.put(f"monitors/{stage.names.model}", monitor(stage, commit))
    send(stage, window_of([1, 2, 3]))
    report = window_report(stage, 1)
    story.check("no drift in traffic like the reference", not report["drifted"], figures_of(report, "temp"))
    for count, (month, name, temp) in enumerate([(4, "April", 53.4), (5, "May", 63.6), (6, "June", 73.7)], start=2):
        traffic = send(stage, window_of([month]))
        report = window_report(stage, count)
        drifted = [feature["feature"] for feature in report["features"] if feature["drifted"]]
        story.check(f"{name} drifts, in the temperature alone", drifted == ["temp"], figures_of(report, "temp"))
        story.about(f"mean temperature of {name}, °F", feature_of(report, "temp")["meanCurrent"], temp, 0.5)
        story.say(f"AUC of {name}: {traffic.auc:.3f}")


def window_report(stage: Stage, count: int) -> dict:
    """The newest window's report, once as many have been evaluated."""
    answer = stage.author.mledger.wait_for(
        f"monitors/{stage.names.model}/windows",
        lambda answer: len(answer["windows"]) >= count,
        f"window {count}",
        limit=100,
    )
    return max(answer["windows"], key=lambda report: report["window"]["from"])


def feature_of(report: dict, name: str) -> dict:
    return next(feature for feature in report["features"] if feature["feature"] == name)


def figures_of(report: dict, name: str) -> str:
    feature = feature_of(report, name)
    return (
        f"{name} {feature['meanReference']:.1f} → {feature['meanCurrent']:.1f}, "
        f"{feature['method']} {feature['statistic']:.2f} (threshold {feature['threshold']})"
    )
