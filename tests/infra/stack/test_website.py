"""The page's bucket, and what is put there on each deploy."""

from tests.infra.stack.iam import as_list
from tests.infra.stack.parts import denies_plain_http, is_private


def test_the_site_is_private_and_over_tls(bare):
    from infra.stack.website import SiteBucket

    template = bare(lambda s: SiteBucket(s, "S"))
    assert is_private(template.only("AWS::S3::Bucket"))
    assert denies_plain_http(template.only("AWS::S3::BucketPolicy"))


def test_hashed_files_are_cached_for_ever_and_the_rest_is_checked_each_time(dev):
    deployed = {
        name.removeprefix("Page").split("CustomResource")[0]: d["Properties"]
        for name, d in dev.of_type("Custom::CDKBucketDeployment").items()
    }
    assert set(deployed) == {"PageAssets", "PageIndex", "PageConfig"} or set(deployed) == {
        "Assets",
        "Index",
        "Config",
    }
    assets, index, config = (deployed[n] for n in ("Assets", "Index", "Config"))
    assert "immutable" in assets["SystemMetadata"]["cache-control"]
    assert (assets["Exclude"], assets["Include"]) == (["*"], ["assets/*"])
    assert index["Exclude"] == ["assets/*"]
    assert index["SystemMetadata"]["cache-control"] == "no-cache"
    assert config["SystemMetadata"]["cache-control"] == "no-cache"
    assert all(d["Prune"] is False for d in deployed.values())


def test_a_deploy_invalidates_only_the_files_that_changed(dev):
    deployed = {
        name.split("CustomResource")[0]: d["Properties"]
        for name, d in dev.of_type("Custom::CDKBucketDeployment").items()
    }
    assert "DistributionPaths" not in deployed["PageAssets"]
    assert deployed["PageIndex"]["DistributionPaths"] == ["/index.html"]
    assert deployed["PageConfig"]["DistributionPaths"] == ["/config.json"]


def test_only_cloudfront_reads_the_site_and_a_file_that_is_missing_is_a_404(dev):
    config = dev.only("AWS::CloudFront::Distribution")["DistributionConfig"]
    (site,) = [o for o in config["Origins"] if "S3OriginConfig" in o]
    access = dev.resources[site["OriginAccessControlId"]["Fn::GetAtt"][0]]["Properties"]
    signing = access["OriginAccessControlConfig"]
    assert (signing["OriginAccessControlOriginType"], signing["SigningBehavior"]) == (
        "s3",
        "always",
    )
    policy = dev.only("AWS::S3::BucketPolicy", "Site")["PolicyDocument"]["Statement"]
    readers = [s for s in policy if s["Principal"] == {"Service": "cloudfront.amazonaws.com"}]
    # Without the right to list, S3 answers 403 for a missing file.
    allowed = {action for s in readers for action in as_list(s["Action"])}
    assert allowed == {"s3:GetObject", "s3:ListBucket"}
    assert all("AWS:SourceArn" in s["Condition"]["StringEquals"] for s in readers)
