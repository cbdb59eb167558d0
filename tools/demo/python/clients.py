"""What several steps need of the clients; each is configured by its own standard variables, see train.py."""

import boto3
import lakefs
import mlflow
import pandas as pd
from botocore.config import Config

import flights

CHAMPION_ALIAS = "champion"  # who serves; moves by a promotion only
CANDIDATE_ALIAS = "candidate"  # the newest version, from one step of a pipeline to the next


def commit_of(repository: str, ref: str) -> str:
    """The id of the commit that a branch, tag or commit id names now."""
    return lakefs.repository(repository).ref(ref).get_commit().id


def s3_client(**credentials):
    """boto3's S3 client, addressing repositories as buckets by path."""
    return boto3.client("s3", config=Config(s3={"addressing_style": "path"}), **credentials)


def dataset_of(table: pd.DataFrame, repository: str, commit: str, month: int):
    """The month as a data set of MLflow, whose source names the object at its commit."""
    return mlflow.data.from_pandas(
        table,
        source=f"s3://{repository}/{commit}/{flights.path_of(month)}",
        name=f"{repository}/{flights.path_of(month)}",
        targets=flights.LABEL,
    )


def read_month(s3, repository: str, commit: str, month: int) -> pd.DataFrame:
    """A month's table at a commit, through S3."""
    answer = s3.get_object(Bucket=repository, Key=f"{commit}/{flights.path_of(month)}")
    return flights.from_parquet(answer["Body"].read())


def months_from(text: str) -> list[int]:
    """ "1-3" is [1, 2, 3], "7" is [7]."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))
