"""Acts 2 and 3: a run trains on a commit; its model becomes champion by figures and by somebody else's yes."""

from dataclasses import dataclass

import mlflow

import act_data
from mledger import Refused
from stage import Stage, run_step
from story import now


@dataclass(frozen=True)
class Champion:
    """Who became champion, from what, and a moment at which they were."""

    version: int
    run_id: str
    commit: str
    at: str


def policy(stage: Stage) -> dict:
    """What a version has to meet: a floor, no worse than the champion on the same rows, and one person's approval."""
    return {
        "alias": "champion",
        "gates": [
            {"metric": "holdout_auc", "atLeast": 0.62},
            {"metric": "holdout_auc", "notWorseThanChampion": {"tolerance": 0.0, "lowerIsBetter": False}},
            {"metric": "holdout_log_loss", "atMost": 0.65},
        ],
        "approvals": 1,
        "pipelinesWithoutApproval": [stage.names.pipeline],
    }


def experiments(stage: Stage, commit: str) -> dict:
    """Trains on months 1 to 3 of main and looks at what the run recorded; gives what train.py printed."""
    stage.story.act(2, "Experiment: scikit-learn on January to March, by commit, through S3")
    trained = train(stage, "main", "1-3")
    story, metrics = stage.story, trained["metrics"]
    story.say(f"{trained['rows']:,} rows, fitted in {trained['fit_seconds']} s, run {trained['run_id'][:8]}")
    story.about("AUC on the months it was trained on", metrics["training_roc_auc"], 0.745, 0.01)
    story.check(
        "the ONNX graph answers as scikit-learn does",
        metrics["onnx_difference_max"] < 1e-5,
        f"differs by {metrics['onnx_difference_max']:.1e} at most",
    )
    client = mlflow.MlflowClient()
    run = client.get_run(trained["run_id"])
    sources = [entry.dataset.source for entry in run.inputs.dataset_inputs]
    story.check(
        "the commit is an input of the run",
        len(sources) == 3 and all(commit in source for source in sources),
        commit[:12],
    )
    story.check("autolog wrote the parameters", run.data.params["max_iter"] == "60", f"{len(run.data.params)} of them")
    artifacts = {file.path for file in client.list_artifacts(trained["run_id"])}
    story.check("the artifacts are there", "features.json" in artifacts, ", ".join(sorted(artifacts)))
    logged = client.get_logged_model(trained["model_id"])
    story.check("the logged model is ready", logged.status.name == "READY", logged.artifact_location)
    return trained


def registry(stage: Stage, trained: dict) -> Champion:
    """Evaluates version 1 on April, which it has not seen, and takes it through gates and approval."""
    stage.story.act(3, "Registry: gates on held-out data, and a yes by someone else")
    model = stage.names.model
    stage.approver.mledger.put(f"models/{model}/policy", policy(stage))
    evaluated = evaluate(stage, act_data.HOLDOUT, 4)
    stage.story.about("AUC on April, held out", evaluated["candidate"]["auc"], 0.665, 0.015)
    stage.author.mledger.put(f"endpoints/{model}", {"model": f"models:/{model}@champion"})
    promotion = request_promotion(stage, trained["version"], "first model, good enough on April")
    with stage.story.refused("the author cannot approve it", Refused, 403, 409):
        stage.author.mledger.post(
            f"promotions/{promotion['promotionId']}/approve", {"comment": "fine, says its author"}
        )
    return approve(stage, promotion, trained, "looked at April's figures")


def train(stage: Stage, ref: str, months: str) -> dict:
    """One run of train.py by the author."""
    names = stage.names
    return run_step(stage, "train.py", *training_arguments(stage, ref, months), "--experiment", names.model)


def training_arguments(stage: Stage, ref: str, months: str) -> list[str]:
    return ["--repository", stage.names.repository, "--ref", ref, "--months", months, "--model", stage.names.model]


def evaluate(stage: Stage, ref: str, month: int) -> dict:
    """One run of evaluate.py by the author."""
    return run_step(stage, "evaluate.py", *evaluation_arguments(stage, ref, month))


def evaluation_arguments(stage: Stage, ref: str, month: int) -> list[str]:
    return ["--repository", stage.names.repository, "--ref", ref, "--month", str(month), "--model", stage.names.model]


def request_promotion(stage: Stage, version: int, reason: str) -> dict:
    """The author's request, with the gates held against the figures."""
    promotion = stage.author.mledger.promote(stage.names.model, version, reason)
    promotion = stage.author.mledger.wait_for(
        f"promotions/{promotion['promotionId']}",
        lambda answer: len(answer["gates"]) == 3 or answer["status"] != "pending",
        "the gates to be evaluated",
    )
    for gate in promotion["gates"]:
        stage.story.check("gate", gate["passed"], gate["explanation"])
    return promotion


def approve(stage: Stage, promotion: dict, trained: dict, comment: str) -> Champion:
    """The approver's yes, and the alias that moves by it."""
    path = f"promotions/{promotion['promotionId']}"
    stage.approver.mledger.post(f"{path}/approve", {"comment": comment})
    stage.approver.mledger.wait_for(path, lambda answer: answer["status"] == "promoted", "the promotion")
    return note_champion(stage, trained["version"], trained["run_id"], trained["commit"])


def note_champion(stage: Stage, version: int, run_id: str, commit: str) -> Champion:
    """Checks who is champion, and keeps a moment at which that was so."""
    holder = stage.author.mledger.version_under(stage.names.model, "champion")
    stage.story.check("the champion is", holder == version, f"version {holder}")
    return Champion(version, run_id, commit, now())
