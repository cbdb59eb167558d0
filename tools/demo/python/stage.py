"""Who and what takes part in the demo: the names, three people with keys, and their clients."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import lakefs

import clients
from mledger import Mledger
from story import NotAsStated, Story

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Names:
    """What the demo calls its things; a suffix lets it run again on a server where it has been."""

    suffix: str

    @property
    def repository(self) -> str:
        return f"flights{self.suffix}"

    @property
    def model(self) -> str:
        """Experiment, registered model, endpoint and monitor all bear this name."""
        return f"delay{self.suffix}"

    @property
    def pipeline(self) -> str:
        return f"retrain{self.suffix}"


class Person:
    """A user with one key, which every client takes."""

    def __init__(self, url: str, user: str, key_id: str, secret: str):
        self.url = url
        self.user = user
        self.key_id = key_id
        self.secret = secret
        self.mledger = Mledger(url, (key_id, secret))

    def lakefs(self) -> lakefs.Client:
        return lakefs.Client(host=self.url, username=self.key_id, password=self.secret)

    def s3(self):
        return clients.s3_client(
            endpoint_url=self.url, aws_access_key_id=self.key_id, aws_secret_access_key=self.secret
        )

    def environment(self) -> dict[str, str]:
        """The variables by which the unmodified clients find the server and this person's key."""
        return {
            "MLFLOW_TRACKING_URI": self.url,
            "MLFLOW_TRACKING_USERNAME": self.key_id,
            "MLFLOW_TRACKING_PASSWORD": self.secret,
            "LAKECTL_SERVER_ENDPOINT_URL": self.url,
            "LAKECTL_CREDENTIALS_ACCESS_KEY_ID": self.key_id,
            "LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY": self.secret,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": self.key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret,
        }


@dataclass(frozen=True)
class Stage:
    story: Story
    url: str
    names: Names
    operator: Mledger  # the admin: makes users, defines the pipeline
    author: Person  # brings data, trains, asks for promotion
    approver: Person  # sets the policy, says yes, rolls back


def set_stage(story: Story, url: str, suffix: str) -> Stage:
    """Makes author and approver and a key for each. In open mode the operator needs no key, else the two variables."""
    key = os.environ.get("MLEDGER_ACCESS_KEY_ID"), os.environ.get("MLEDGER_SECRET_ACCESS_KEY")
    operator = Mledger(url, key if all(key) else None)
    return Stage(
        story=story,
        url=url,
        names=Names(suffix),
        operator=operator,
        author=_person(operator, f"author{suffix}", ["contributor", "deployer"]),
        approver=_person(operator, f"approver{suffix}", ["contributor", "approver"]),
    )


def _person(operator: Mledger, name: str, roles: list[str]) -> Person:
    user = operator.post("users", {"name": name, "roles": roles})
    key = operator.post("keys", {"userId": user["userId"]})
    return Person(operator.url, user["userId"], key["keyId"], key["secret"])


def run_step(stage: Stage, script: str, *arguments: str) -> dict:
    """Runs one of the scripts as the author would in a shell; gives the JSON object that it prints last."""
    process = subprocess.run(
        step_command(script, *arguments),
        env={**os.environ, **stage.author.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode != 0:
        raise NotAsStated(f"{script} exited with {process.returncode}:\n{process.stdout}{process.stderr}")
    return json.loads(process.stdout.strip().splitlines()[-1])


def step_command(script: str, *arguments: str) -> list[str]:
    """The command line of a script, for a shell or for a pipeline's step."""
    return [sys.executable, str(HERE / script), *arguments]
