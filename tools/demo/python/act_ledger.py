"""Act 7: what the ledger answers, about now and about then."""

import json
from datetime import UTC, datetime

from act_models import Champion
from act_traffic import Traffic
from stage import Stage


def ledger(stage: Stage, first: Champion, second: Champion, bad: Champion, last: Champion, traffic: Traffic) -> None:
    """From one prediction of the bad model back to the commit that made it bad; past champions; the proof."""
    story, caller = stage.story, stage.author.mledger
    story.act(7, "Ledger: which model answered, by whose decision, on what evidence, from which data?")
    request_id = traffic.request_ids[0]
    answer = caller.wait_for(
        "explain",
        lambda answer: mentions(answer, bad.commit, bad.run_id),
        "the ledger to have it all",
        request=request_id,
    )
    for claim, needle in {
        "the run that trained it": bad.run_id,
        "the commit of its data": bad.commit,
        "the author": stage.author.user,
        "the approver": stage.approver.user,
        "the approver's reason": "figures are good",
    }.items():
        story.check(f"request {request_id} leads to {claim}", mentions(answer, needle), needle)

    then = caller.get("explain", request=request_id, asOf=traffic.at)
    story.check("as of its answer, nobody knew better", not mentions(then, "AUC on August below the floor"))
    story.check("today the story has its end", mentions(answer, "AUC on August below the floor"))
    for champion in (first, second, bad, last):
        held = caller.version_under(stage.names.model, "champion", asOf=champion.at)
        story.check(f"champion at {champion.at}", held == champion.version, f"version {held}")

    proof = caller.get("verify")
    story.check("the ledger is whole", proof["ok"], f"{proof['events']:,} events verified")
    tell(stage, caller.get("events", limit=1000)["events"])


def mentions(answer: object, *needles: str) -> bool:
    """Whether each text stands somewhere in a JSON answer."""
    text = json.dumps(answer, ensure_ascii=False)
    return all(needle in text for needle in needles)


def tell(stage: Stage, events: list[dict]) -> None:
    """The story once more, as the events have it: the turning points in their order."""
    turns = {
        "BranchMerged",
        "ModelVersionCreated",
        "ModelPromoted",
        "RevisionDeployed",
        "DriftDetected",
        "RunTriggered",
    }
    turns |= {"PerformanceDegraded", "PromotionRolledBack"}
    for event in events:
        if event["type"] in turns:
            time = datetime.fromisoformat(event["time"]).astimezone(UTC).strftime("%H:%M:%S")
            stage.story.say(f"{time}  {event['type']:<20} {event['actor']:<30} {event['stream']}")
