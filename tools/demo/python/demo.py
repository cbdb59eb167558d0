"""One model's whole life on real data, told in seven acts by the clients that people use anyway.

Against a running MLedger, MLEDGER_URL (default http://127.0.0.1:5050). Where it asks for keys, an admin's in
MLEDGER_ACCESS_KEY_ID and MLEDGER_SECRET_ACCESS_KEY. Exits with 1 as soon as a step is not as stated.
"""

import argparse
import os
import sys
import time

import act_data
import act_ledger
import act_loop
import act_models
import act_traffic
from mledger import Refused
from stage import set_stage
from story import NotAsStated, Story


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suffix", default="", help="appended to every name, to run again on the same server: -2")
    suffix = parser.parse_args().suffix
    story = Story()
    try:
        play(story, os.environ.get("MLEDGER_URL", "http://127.0.0.1:5050").rstrip("/"), suffix)
    except (NotAsStated, Refused, TimeoutError) as failure:
        print(f"\nNot as stated: {failure}", file=sys.stderr)
        return 1
    print(f"\n{story.checks} statements, all as stated, in {time.monotonic() - story.started:.0f} s")
    return 0


def play(story: Story, url: str, suffix: str) -> None:
    stage = set_stage(story, url, suffix)
    os.environ.update(stage.author.environment())  # this process's MLflow client speaks for the author
    commit = act_data.versioning(stage)
    trained = act_models.experiments(stage, commit)
    first = act_models.registry(stage, trained)
    act_traffic.serving(stage, first.version)
    act_traffic.monitoring(stage, commit)
    second = act_loop.retraining(stage)
    bad, august = act_loop.bad_model(stage)
    last = act_loop.rollback(stage, second, bad, august)
    act_ledger.ledger(stage, first, second, bad, last, august)


if __name__ == "__main__":
    raise SystemExit(main())
