"""Act 6: drift retrains the model; then a bad one gets through, is noticed, and is rolled back."""

import numpy as np

import act_data
import flights
from act_models import (
    Champion,
    approve,
    evaluate,
    evaluation_arguments,
    note_champion,
    request_promotion,
    train,
    training_arguments,
)
from act_traffic import AUC_MIN, DIFFERENCE_MAX, Traffic, local_answers, send, send_labels, wait_for_version, window_of
from stage import Stage, step_command
from story import now

# It starts at most once while the demo lasts: the summer stays unlike the winter however often it is told.
COOLDOWN_SECONDS = 3_600
STEP_ATTEMPTS_MAX = 3
STEP_SECONDS_MAX = 300
RETRAINING_SECONDS_MAX = 240


def retraining(stage: Stage) -> Champion:
    """July's traffic drifts, which trains on January to June, evaluates on July, and promotes without a hand."""
    stage.story.act(6, "Pipelines: drift retrains the model")
    act_data.extend(stage, "import-q2", [4, 5, 6], "Flights of April to June", source="main")
    commit = act_data.merge(stage, "import-q2")
    act_data.extend(stage, act_data.HOLDOUT, [7], "Flights of July")
    stage.operator.put(f"pipelines/{stage.names.pipeline}", pipeline(stage))
    before = {run["pipelineRunId"] for run in pipeline_runs(stage)["runs"]}
    july = send(stage, window_of([7]))
    send_labels(stage, july)

    runs = stage.operator.wait_for(
        f"pipelines/{stage.names.pipeline}/runs",
        lambda answer: any(run["pipelineRunId"] not in before for run in answer["runs"]),
        "the drift to start a run",
    )
    [run_id] = [run["pipelineRunId"] for run in runs["runs"] if run["pipelineRunId"] not in before]
    run = stage.operator.wait_for(
        f"pipeline-runs/{run_id}",
        lambda answer: answer["status"] not in ("pending", "running"),
        "the retraining",
        RETRAINING_SECONDS_MAX,
    )
    stage.story.check("drift started the run", run["cause"]["eventType"] == "DriftDetected", run_id)
    steps = {step["name"]: step for step in run["steps"]}
    stage.story.check(
        "every step succeeded",
        run["status"] == "succeeded",
        ", ".join(f"{name} {step['status']}" for name, step in steps.items()),
    )
    trained, evaluated = steps["train"]["outputs"], steps["evaluate"]["outputs"]
    candidate, old = evaluated["candidate"]["auc"], evaluated["champion"]["auc"]
    stage.story.check("it read main's new commit", trained["commit"] == commit, f"{trained['rows']:,} rows")
    stage.story.about("AUC on July, which neither has seen, retrained", candidate, 0.736, 0.015)
    stage.story.check(
        "better than the champion on the same flights", candidate > old + 0.01, f"{old:.3f} → {candidate:.3f}"
    )
    champion = note_champion(stage, trained["version"], trained["run_id"], trained["commit"])
    wait_for_version(stage, champion.version)
    again = send(stage, july.rows)
    stage.story.check(
        "July's window, asked again, is judged better", again.auc > july.auc, f"AUC {july.auc:.3f} → {again.auc:.3f}"
    )
    return champion


def pipeline(stage: Stage) -> dict:
    """Train, evaluate, promote: three processes, one after the other, when the monitor finds drift."""
    model = stage.names.model
    train_arguments = [*training_arguments(stage, "main", "1-6"), "--experiment", model]
    commands = {
        "train": step_command("train.py", *train_arguments),
        "evaluate": step_command("evaluate.py", *evaluation_arguments(stage, act_data.HOLDOUT, 7)),
        "promote": step_command("promote.py", "--model", model, "--reason", "retrained after drift"),
    }
    names = list(commands)
    return {
        "steps": [
            {
                "name": name,
                "command": command,
                "dependsOn": names[names.index(name) - 1 : names.index(name)],
                "timeoutSeconds": STEP_SECONDS_MAX,
                # A step goes down with the service that runs it; each of these may be run again.
                "attemptsMax": STEP_ATTEMPTS_MAX,
            }
            for name, command in commands.items()
        ],
        "triggers": [{"on": "DriftDetected", "monitor": model, "cooldownSeconds": COOLDOWN_SECONDS}],
        "role": "contributor",
    }


def pipeline_runs(stage: Stage) -> dict:
    return stage.operator.get(f"pipelines/{stage.names.pipeline}/runs")


def bad_model(stage: Stage) -> tuple[Champion, Traffic]:
    """A model of a faulty export passes gates and approval, for its held-out data has the same fault."""
    stage.story.act(6, "… and a bad model is rolled back")
    commit = act_data.extend(
        stage,
        "reexport",
        list(range(1, 9)),
        "Export all months anew, with times in UTC",
        "main",
        flights.with_hour_in_utc,
    )
    trained = train(stage, "reexport", "1-7")
    stage.story.check("it is trained on the faulty commit", trained["commit"] == commit, commit[:12])
    evaluated = evaluate(stage, "reexport", 8)
    stage.story.about("AUC on August, of the same export", evaluated["candidate"]["auc"], 0.706, 0.015)
    promotion = request_promotion(stage, trained["version"], "trained on July too")
    champion = approve(stage, promotion, trained, "figures are good")
    wait_for_version(stage, champion.version)

    august = send(stage, window_of([8]))
    stage.story.check("on August's real requests it is bad", august.auc < AUC_MIN, f"AUC {august.auc:.3f}")
    send_labels(stage, august)
    alerts = stage.author.mledger.wait_for(
        f"monitors/{stage.names.model}/alerts",
        lambda answer: any(alert["kind"] == "performance" and alert["status"] == "open" for alert in answer["alerts"]),
        "the monitor to notice",
    )
    alert = next(alert for alert in alerts["alerts"] if alert["kind"] == "performance")
    stage.story.check("the monitor notices by the labels", True, alert["message"])
    return champion, august


def rollback(stage: Stage, good: Champion, bad: Champion, august: Traffic) -> Champion:
    """The approver takes the alias back; the endpoint follows, and answers exactly as it did before."""
    stage.approver.mledger.post(
        f"models/{stage.names.model}/rollback", {"alias": "champion", "reason": "AUC on August below the floor"}
    )
    champion = note_champion(stage, good.version, good.run_id, good.commit)
    wait_for_version(stage, champion.version)
    again = send(stage, august.rows)
    expected = local_answers(stage, good.version, august.rows)
    difference = float(np.abs(again.probabilities - expected).max())
    stage.story.check(
        f"version {good.version} answers again, as before", difference < DIFFERENCE_MAX, f"{difference:.1e} at most"
    )
    stage.story.check(
        "August is judged better", again.auc > august.auc + 0.03, f"AUC {august.auc:.3f} → {again.auc:.3f}"
    )
    stage.story.say(f"version {bad.version} was champion until {now()}")
    return champion
