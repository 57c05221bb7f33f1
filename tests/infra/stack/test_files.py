"""The files' bucket: private, with the rules that the store counts on."""

import pytest

from tests.infra.stack.parts import denies_plain_http, is_private


@pytest.fixture
def files(bare):
    from infra.stack.files import FilesBucket

    return bare(
        lambda s: FilesBucket(s, "F", key=None, keep=False, origins=["https://page.example"])
    )


def test_the_files_are_private_unversioned_and_over_tls(files):
    bucket = files.only("AWS::S3::Bucket")
    assert is_private(bucket)
    assert "VersioningConfiguration" not in bucket
    assert denies_plain_http(files.only("AWS::S3::BucketPolicy"))


def test_the_files_have_the_lifecycle_that_the_store_counts_on(files):
    from functions.attachments.schema import LIFECYCLE_RULES

    made = files.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    for rule, expected in zip(made, LIFECYCLE_RULES, strict=True):
        assert rule["Id"] == expected["ID"]
        assert rule["Status"] == "Enabled"
        assert rule.get("Prefix", "") == expected["Filter"]["Prefix"]
        assert rule.get("ExpirationInDays") == expected.get("Expiration", {}).get("Days")
        assert rule.get("AbortIncompleteMultipartUpload") == (
            expected.get("AbortIncompleteMultipartUpload")
        )
        kept = expected.get("NoncurrentVersionExpiration")
        assert rule.get("NoncurrentVersionExpiration") == kept


def test_removed_files_are_kept_for_as_long_as_asked_and_uploads_for_a_day(bare):
    from infra.stack.files import FilesBucket

    bucket = bare(
        lambda s: FilesBucket(s, "F", key=None, keep=False, origins=["https://a.b"], versions=35)
    ).only("AWS::S3::Bucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    days = {
        rule["Id"]: rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if "NoncurrentVersionExpiration" in rule
    }
    assert days == {"unsent-uploads": 1, "old-versions": 35}


def test_the_files_answer_pages_of_the_origins_alone(files):
    (rule,) = files.only("AWS::S3::Bucket")["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == ["https://page.example"]
    assert {"GET", "PUT"} <= set(rule["AllowedMethods"])
    assert "DELETE" not in rule["AllowedMethods"]
    assert rule["AllowedHeaders"] == ["content-type", "if-none-match"]


def test_files_that_are_kept_are_not_emptied_by_a_destroy(bare):
    from infra.stack.files import FilesBucket

    template = bare(lambda s: FilesBucket(s, "F", key=None, keep=True, origins=["https://a.b"]))
    (resource,) = template.of_type("AWS::S3::Bucket").values()
    assert resource["DeletionPolicy"] == "Retain"
    assert not template.of_type("Custom::S3AutoDeleteObjects")
