"""What data people do with a versioned repository, by the clients they use, none of them patched.

Run by clients.e2e.spec.ts with the service's URL and a key in the environment; ends with a line "ok" or an assertion.
"""

import hashlib
import io
import os
import sys
import tempfile
from datetime import datetime, timedelta, timezone

import boto3
import botocore
import lakefs
import lakefs_sdk
import pandas
import pyarrow.fs
import pyarrow.parquet
import requests
import s3fs
from botocore.config import Config
from lakefs.client import Client
from lakefs.exceptions import (
    BadRequestException,
    ConflictException,
    NotAuthorizedException,
    NotFoundException,
    ObjectExistsException,
    ObjectNotFoundException,
    TransactionException,
)

URL = os.environ["MLEDGER_URL"]
KEY, SECRET = os.environ["KEY_ID"], os.environ["SECRET"]


def raises(kind, work):
    try:
        work()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def s3_client(**config):
    return boto3.client(
        "s3",
        endpoint_url=URL,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, **config),
    )


def lakefs_wrapper():
    """The `lakefs` package: repositories, branches, objects with and without signed URLs, commits, merges, tags."""
    client = Client(host=URL, username=KEY, password=SECRET)
    repo = lakefs.Repository("lakes", client=client).create(storage_namespace="local://lakes")
    assert [r.id for r in lakefs.repositories(client=client)] == ["lakes"]
    raises(ConflictException, lambda: lakefs.Repository("lakes", client=client).create(storage_namespace="local://b"))
    assert lakefs.Repository("lakes", client=client).create(storage_namespace="local://lakes", exist_ok=True).id == "lakes"
    main = repo.branch("main")
    for pre_sign in (None, True, False):
        name = f"data/{pre_sign}.csv"
        written = main.object(name).upload(data="a,b\n1,2\n", content_type="text/csv", metadata={"k": "v"}, pre_sign=pre_sign)
        stats = written.stat()
        assert stats.checksum == hashlib.md5(b"a,b\n1,2\n").hexdigest(), stats
        assert (stats.size_bytes, stats.content_type, stats.metadata) == (8, "text/csv", {"k": "v"}), stats
        with main.object(name).reader("rb", pre_sign=pre_sign) as reader:
            assert reader.read(3) == b"a,b" and reader.tell() == 3
            reader.seek(4)
            assert reader.read() == b"1,2\n" and reader.read() == b""
        assert pandas.read_csv(main.object(name).reader("r", pre_sign=pre_sign)).shape == (1, 2)
    raises(ObjectExistsException, lambda: main.object("data/None.csv").upload(data="x", mode="xb"))
    raises(ObjectNotFoundException, lambda: main.object("none").stat())
    assert [c.path for c in main.uncommitted()] == ["data/False.csv", "data/None.csv", "data/True.csv"]
    commit = main.commit("three files", metadata={"by": "python"}).get_commit()
    assert commit.metadata == {"by": "python"} and len(commit.id) == 64
    raises(BadRequestException, lambda: main.commit("nothing"))
    dev = repo.branch("dev").create("main")
    dev.object("data/None.csv").delete()
    dev.object("data/new.csv").upload(data="new")
    dev.commit("changed")
    assert [(d.type, d.path) for d in main.diff(other_ref=dev)] == [("removed", "data/None.csv"), ("added", "data/new.csv")]
    merged = dev.merge_into(main)
    assert main.get_commit().id == merged and len(main.get_commit().parents) == 2
    assert [o.path for o in main.objects(prefix="data/")] == ["data/False.csv", "data/True.csv", "data/new.csv"]
    tag = repo.tag("v1").create(main)
    assert tag.get_commit().id == merged and [t.id for t in repo.tags()] == ["v1"]
    assert [c.message for c in main.log(max_amount=2)] == ["Merge 'dev' into 'main'", "changed"]
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    assert list(main.log(since=tomorrow)) == [] and len(list(main.log(since=tomorrow - timedelta(days=2)))) == 4
    main.object("data/new.csv").upload(data="again")
    main.reset_changes("reset")
    assert main.object("data/new.csv").reader("r").read() == "new"
    main.delete_objects(["data/True.csv", "data/False.csv"])
    main.commit("deleted")
    main.revert(main.head)
    assert main.object("data/True.csv").exists()
    with main.transact(commit_message="in one go") as tx:
        tx.object("tx/a").upload(data="a")
        tx.object("tx/b").upload(data="b")
    assert main.object("tx/a").exists() and [b.id for b in repo.branches()] == ["dev", "main"]
    raises(NotFoundException, lambda: list(repo.branch("none").objects()))
    dev.delete()
    wrong = Client(host=URL, username=KEY, password="wrong" * 8)
    raises(NotAuthorizedException, lambda: list(lakefs.repositories(client=wrong)))


def lakefs_generated():
    """The `lakefs_sdk` package, generated from lakeFS' own description: uploads as multipart forms."""
    configuration = lakefs_sdk.Configuration(host=f"{URL}/api/v1", username=KEY, password=SECRET)
    with lakefs_sdk.ApiClient(configuration) as api, tempfile.NamedTemporaryFile() as file:
        file.write(b"\x00\x01" * 1000)
        file.flush()
        stats = lakefs_sdk.ObjectsApi(api).upload_object("lakes", "main", "form.bin", content=file.name)
        assert stats.size_bytes == 2000 and stats.checksum == hashlib.md5(b"\x00\x01" * 1000).hexdigest()
        assert lakefs_sdk.ConfigApi(api).get_config().version_config.version_context == "lakeFS"
        assert lakefs_sdk.ObjectsApi(api).get_object("lakes", "main", "form.bin", range="bytes=0-3") == b"\x00\x01\x00\x01"
        lakefs_sdk.ObjectsApi(api).delete_object("lakes", "main", "form.bin")


def boto():
    """boto3: objects, listings, copies, parts, ranges, conditions, signed URLs, errors."""
    s3 = s3_client()
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["lakes"]
    s3.head_bucket(Bucket="lakes")
    body = b"bytes through S3"
    put = s3.put_object(Bucket="lakes", Key="main/s3/a.txt", Body=body, ContentType="text/plain", Metadata={"colour": "blue"})
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket="lakes", Key="main/s3/a.txt")
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (body, "text/plain", {"colour": "blue"})
    part = s3.get_object(Bucket="lakes", Key="main/s3/a.txt", Range="bytes=6-12")
    assert (part["Body"].read(), part["ContentRange"]) == (b"through", "bytes 6-12/16")
    for key in ("s3/b/1", "s3/b/2", "s3/odd &<>é\t?", "s3/z"):
        s3.put_object(Bucket="lakes", Key=f"main/{key}", Body=key.encode())
    listed = s3.list_objects_v2(Bucket="lakes", Prefix="main/s3/", Delimiter="/")
    assert [c["Key"] for c in listed["Contents"]] == ["main/s3/a.txt", "main/s3/odd &<>é\t?", "main/s3/z"]
    assert [p["Prefix"] for p in listed["CommonPrefixes"]] == ["main/s3/b/"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="lakes", Prefix="main/s3/", PaginationConfig={"PageSize": 2})
    keys = [c["Key"] for page in pages for c in page["Contents"]]
    assert keys == [f"main/s3/{k}" for k in ("a.txt", "b/1", "b/2", "odd &<>é\t?", "z")], keys
    pages = s3.get_paginator("list_objects").paginate(Bucket="lakes", Prefix="main/s3/", PaginationConfig={"PageSize": 2})
    assert [c["Key"] for page in pages for c in page["Contents"]] == keys
    assert [p["Prefix"] for p in s3.list_objects_v2(Bucket="lakes", Delimiter="/")["CommonPrefixes"]] == ["main/"]
    s3.copy_object(Bucket="lakes", Key="main/s3/copy", CopySource={"Bucket": "lakes", "Key": "main/s3/odd &<>é\t?"})
    assert s3.get_object(Bucket="lakes", Key="main/s3/copy")["Body"].read() == "s3/odd &<>é\t?".encode()
    large = os.urandom(11 * 1024 * 1024)
    s3.upload_fileobj(io.BytesIO(large), "lakes", "main/s3/large")
    head = s3.head_object(Bucket="lakes", Key="main/s3/large")
    assert (head["ContentLength"], head["ETag"]) == (len(large), f'"{hashlib.md5(large).hexdigest()}"')
    back = io.BytesIO()
    s3.download_fileobj("lakes", "main/s3/large", back)
    assert back.getvalue() == large
    s3.put_object(Bucket="lakes", Key="main/s3/once", Body=b"1", IfNoneMatch="*")
    refused(412, "PreconditionFailed", lambda: s3.put_object(Bucket="lakes", Key="main/s3/once", Body=b"2", IfNoneMatch="*"))
    refused(412, "PreconditionFailed", lambda: s3.get_object(Bucket="lakes", Key="main/s3/once", IfMatch='"other"'))
    refused(304, "304", lambda: s3.get_object(Bucket="lakes", Key="main/s3/once", IfNoneMatch=f'"{hashlib.md5(b"1").hexdigest()}"'))
    refused(416, "InvalidRange", lambda: s3.get_object(Bucket="lakes", Key="main/s3/once", Range="bytes=9-"))
    refused(404, "NoSuchKey", lambda: s3.get_object(Bucket="lakes", Key="main/none"))
    refused(404, "NoSuchBucket", lambda: s3.put_object(Bucket="none", Key="main/x", Body=b""))
    refused(404, "NoSuchBucket", lambda: s3.put_object(Bucket="lakes", Key="nobranch/x", Body=b""))
    refused(409, "BucketAlreadyExists", lambda: s3.create_bucket(Bucket="lakes"))
    refused(501, "NotImplemented", lambda: s3.create_bucket(Bucket="fresh"))
    refused(404, "NoSuchUpload", lambda: s3.abort_multipart_upload(Bucket="lakes", Key="main/x", UploadId="none"))
    refused(403, "SignatureDoesNotMatch", lambda: boto3.client("s3", endpoint_url=URL, aws_access_key_id=KEY, aws_secret_access_key="x" * 40, region_name="us-east-1").list_buckets())
    deleted = s3.delete_objects(Bucket="lakes", Delete={"Objects": [{"Key": k} for k in (*keys, "main/none", "main/", "nobranch/x")]})
    assert len(deleted["Deleted"]) == len(keys) + 3 and "Errors" not in deleted, deleted
    assert [c["Key"] for c in s3.list_objects_v2(Bucket="lakes", Prefix="main/s3/")["Contents"]] == ["main/s3/copy", "main/s3/large", "main/s3/once"]


def boto_parts():
    """An upload in parts by hand: parts sent again, copied, listed, completed in a wrong way and in the right one."""
    s3 = s3_client()
    mebibyte = 1024 * 1024
    upload = {"Bucket": "lakes", "Key": "main/parts", "UploadId": s3.create_multipart_upload(Bucket="lakes", Key="main/parts")["UploadId"]}
    s3.upload_part(**upload, PartNumber=1, Body=b"old" * mebibyte)
    first = s3.upload_part(**upload, PartNumber=1, Body=b"new!!" * mebibyte)["ETag"]
    third = s3.upload_part(**upload, PartNumber=3, Body=b"end")["ETag"]
    copied = s3.upload_part_copy(**upload, PartNumber=2, CopySource="lakes/main/s3/large", CopySourceRange="bytes=0-9")
    second = copied["CopyPartResult"]["ETag"]
    assert [(p["PartNumber"], p["Size"]) for p in s3.list_parts(**upload)["Parts"]] == [(1, 5 * mebibyte), (2, 10), (3, 3)]
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket="lakes")["Uploads"]] == ["main/parts"]
    parts = [{"PartNumber": n, "ETag": etag} for n, etag in ((1, first), (2, second), (3, third))]
    complete = lambda chosen: s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": chosen})
    refused(400, "InvalidPartOrder", lambda: complete(parts[::-1]))
    refused(400, "InvalidPart", lambda: complete([{"PartNumber": 1, "ETag": third}]))
    assert complete(parts)["ETag"].endswith('-3"')
    whole = s3.get_object(Bucket="lakes", Key="main/parts")["Body"].read()
    assert whole.startswith(b"new!!") and whole.endswith(b"end") and len(whole) == 5 * mebibyte + 13
    refused(404, "NoSuchUpload", lambda: complete(parts))
    s3.delete_object(Bucket="lakes", Key="main/parts")


def signed_urls():
    """URLs signed as V2, which is boto3's default for them, and as V4; for reading and writing."""
    for version in ("s3", "s3v4"):
        s3 = s3_client(signature_version=version)
        key = {"Bucket": "lakes", "Key": "main/signed &é.txt"}
        url = s3.generate_presigned_url("put_object", Params=key)
        assert requests.put(url, data=version.encode()).status_code == 200
        url = s3.generate_presigned_url("get_object", Params=key)
        answer = requests.get(url)
        assert (answer.status_code, answer.text) == (200, version), answer.text
        assert answer.headers["content-disposition"].startswith("attachment")
        assert requests.get(url[:-1] + ("0" if url[-1] != "0" else "1")).status_code == 403
        listed = {"Bucket": "lakes", "Prefix": "main/signed"}
        assert len(s3.list_objects(**listed)["Contents"]) == 1
        assert "<Key>main/signed" in requests.get(s3.generate_presigned_url("list_objects_v2", Params=listed)).text
        s3.delete_object(**key)


def data_frames():
    """pandas by s3fs, and pyarrow's own S3: Parquet written to a branch, committed, read by commit id."""
    frame = pandas.DataFrame({"month": range(1, 1001), "delay": [n % 7 / 3 for n in range(1000)]})
    options = {"key": KEY, "secret": SECRET, "client_kwargs": {"endpoint_url": URL}}
    frame.to_parquet("s3://lakes/main/frames/months.parquet", storage_options=options)
    repo = lakefs.Repository("lakes", client=Client(host=URL, username=KEY, password=SECRET))
    commit = repo.branch("main").commit("a frame").get_commit().id
    frame.assign(delay=0).to_parquet("s3://lakes/main/frames/months.parquet", storage_options=options)
    read = pandas.read_parquet(f"s3://lakes/{commit}/frames/months.parquet", storage_options=options)
    assert read.equals(frame)
    assert pandas.read_parquet("s3://lakes/main/frames/months.parquet", storage_options=options).delay.sum() == 0
    fs = s3fs.S3FileSystem(**options)
    assert fs.ls(f"lakes/{commit}/frames") == [f"lakes/{commit}/frames/months.parquet"]
    assert fs.exists(f"lakes/{commit}/frames/months.parquet") and not fs.exists("lakes/main/frames/none")
    with fs.open(f"lakes/{commit}/frames/months.parquet", "rb") as file:
        file.seek(-4, 2)
        assert file.read() == b"PAR1"
    arrow = pyarrow.fs.S3FileSystem(access_key=KEY, secret_key=SECRET, endpoint_override=URL, region="us-east-1")
    table = pyarrow.parquet.read_table(f"lakes/{commit}/frames", filesystem=arrow)
    assert table.num_rows == 1000
    with arrow.open_output_stream("lakes/main/frames/arrow.bin") as out:
        out.write(b"x" * (6 * 1024 * 1024))
    assert arrow.get_file_info("lakes/main/frames/arrow.bin").size == 6 * 1024 * 1024
    arrow.delete_file("lakes/main/frames/arrow.bin")
    # Makes each folder above the dataset, the branch's too.
    pyarrow.parquet.write_to_dataset(table.append_column("year", pyarrow.array([2020, 2021] * 500)), "lakes/main/parts", partition_cols=["year"], filesystem=arrow)
    assert pyarrow.parquet.read_table("lakes/main/parts", filesystem=arrow).num_rows == 1000
    arrow.delete_dir("lakes/main/parts")
    assert not fs.exists("lakes/main/parts") and not fs.exists("lakes/main/frames/arrow.bin")
    repo.branch("main").reset_changes("reset")


def refused(status, code, work):
    error = raises(botocore.exceptions.ClientError, work).response
    told = (error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"])
    assert told == (status, code), told


for check in (lakefs_wrapper, lakefs_generated, boto, boto_parts, signed_urls, data_frames):
    check()
    print(f"{check.__name__}: done", file=sys.stderr, flush=True)
print("ok")
