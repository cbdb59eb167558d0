"""Holds the newest candidate and the champion against a month that neither has seen; logs the figures to their runs.

Both are fetched from the registry and run as they would be served. A point's step is the month, so that the latest
holdout_auc of each is of the same rows when a gate compares them. Variables as in train.py.

The last line of standard output is a JSON object: version, commit, rows, candidate and champion (null without one).
"""

import argparse
import json

import mlflow
import onnxruntime
import pandas as pd
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.exceptions import MlflowException
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

import clients
import flights


def main() -> None:
    args = parse_arguments()
    commit = clients.commit_of(args.repository, args.ref)
    table = clients.read_month(clients.s3_client(), args.repository, commit, args.month)
    dataset = clients.dataset_of(table, args.repository, commit, args.month)
    evaluation = DatasetInput(Dataset(**dataset.to_dict()), [InputTag("mlflow.data.context", "evaluation")])
    candidate = evaluate(args.model, clients.CANDIDATE_ALIAS, table, evaluation, args.month)
    if candidate is None:
        raise SystemExit(f"{args.model} has no version under the alias {clients.CANDIDATE_ALIAS}")
    champion = evaluate(args.model, clients.CHAMPION_ALIAS, table, evaluation, args.month)
    print(
        json.dumps(
            {
                "version": candidate["version"],
                "commit": commit,
                "rows": len(table),
                "candidate": candidate,
                "champion": champion,
            }
        )
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repository", required=True)
    parser.add_argument("--ref", required=True, help="the held-out branch")
    parser.add_argument("--month", required=True, type=int)
    parser.add_argument("--model", required=True)
    return parser.parse_args()


def evaluate(model: str, alias: str, table: pd.DataFrame, evaluation: DatasetInput, month: int) -> dict | None:
    """The figures of the alias's holder on the table, logged to its run with the table as an input; None: no holder."""
    client = mlflow.MlflowClient()
    try:
        version = client.get_model_version_by_alias(model, alias)
    except MlflowException:
        return None
    metrics = scores(table[flights.LABEL], predict(f"models:/{model}/{version.version}", table))
    client.log_inputs(version.run_id, [evaluation])
    for key, value in metrics.items():
        client.log_metric(version.run_id, f"holdout_{key}", value, step=month)
    return {"version": int(version.version), "run_id": version.run_id, **metrics}


def predict(uri: str, table: pd.DataFrame):
    """The probabilities that the graph at a model URI gives the rows."""
    graph = mlflow.onnx.load_model(uri)
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    [answered] = session.run(None, {name: table[name].to_numpy() for name in flights.FEATURES})
    return answered


def scores(labels, probabilities) -> dict[str, float]:
    """Area under the ROC curve (higher is better), log loss and Brier score (lower is better)."""
    return {
        "auc": float(roc_auc_score(labels, probabilities)),
        "log_loss": float(log_loss(labels, probabilities)),
        "brier": float(brier_score_loss(labels, probabilities)),
    }


if __name__ == "__main__":
    main()
