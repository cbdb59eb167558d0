"""Asks the registry to make the newest candidate the champion, and waits for what becomes of it.

The last step of the retraining pipeline: the policy's gates decide, on the figures that evaluate.py logged. Exits with
1 when the promotion is refused. Server and credentials as for MLflow: MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN.

The last line of standard output is a JSON object: the promotion.
"""

import argparse
import json
import os

import clients
from mledger import Bearer, Mledger


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--reason", required=True)
    args = parser.parse_args()
    mledger = Mledger(os.environ["MLFLOW_TRACKING_URI"], Bearer(os.environ["MLFLOW_TRACKING_TOKEN"]))
    promotion = mledger.promote(args.model, mledger.version_under(args.model, clients.CANDIDATE_ALIAS), args.reason)
    promotion = mledger.wait_for(
        f"promotions/{promotion['promotionId']}",
        lambda answer: answer["status"] != "pending",
        "the promotion to be decided",
    )
    print(json.dumps(promotion))
    raise SystemExit(0 if promotion["status"] == "promoted" else 1)


if __name__ == "__main__":
    main()
