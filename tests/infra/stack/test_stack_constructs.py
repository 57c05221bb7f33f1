"""Each construct alone, in a bare stack: the properties that matter."""

import json
import subprocess
from shutil import which

import pytest

from functions.store import schema
from tests.support.template import ACCOUNT, Template

ANYONE = {"AWS": "*"}


def denies_plain_http(policy):
    return any(
        s["Effect"] == "Deny"
        and s["Principal"] == ANYONE
        and s["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for s in policy["PolicyDocument"]["Statement"]
    )


def is_private(bucket):
    return set(bucket["PublicAccessBlockConfiguration"].values()) == {True} and (
        bucket["OwnershipControls"]["Rules"][0]["ObjectOwnership"] == "BucketOwnerEnforced"
    )


# The table


def test_the_table_is_the_schema(bare):
    from infra.stack.table import ChatTable

    table = bare(lambda s: ChatTable(s, "T", key=None, keep=False)).only("AWS::DynamoDB::Table")
    assert table["KeySchema"] == schema.TABLE["KeySchema"]
    assert table["LocalSecondaryIndexes"] == schema.TABLE["LocalSecondaryIndexes"]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]} == (
        schema.ATTRIBUTES
    )
    assert table["TimeToLiveSpecification"] == {
        "AttributeName": schema.TTL_ATTRIBUTE,
        "Enabled": True,
    }
    assert table["StreamSpecification"] == {"StreamViewType": schema.STREAM_VIEW}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize(("keep", "policy"), [(False, "Delete"), (True, "Retain")])
def test_the_table_is_kept_when_asked(bare, keep, policy):
    from infra.stack.table import ChatTable

    template = bare(lambda s: ChatTable(s, "T", key=None, keep=keep))
    (resource,) = template.of_type("AWS::DynamoDB::Table").values()
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == policy
    assert resource["Properties"]["DeletionProtectionEnabled"] is keep


# The buckets


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


def test_the_files_answer_pages_of_the_origins_alone(files):
    (rule,) = files.only("AWS::S3::Bucket")["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == ["https://page.example"]
    assert {"GET", "PUT"} <= set(rule["AllowedMethods"])
    assert "DELETE" not in rule["AllowedMethods"]


def test_files_that_are_kept_are_not_emptied_by_a_destroy(bare):
    from infra.stack.files import FilesBucket

    template = bare(lambda s: FilesBucket(s, "F", key=None, keep=True, origins=["https://a.b"]))
    (resource,) = template.of_type("AWS::S3::Bucket").values()
    assert resource["DeletionPolicy"] == "Retain"
    assert not template.of_type("Custom::S3AutoDeleteObjects")


def test_the_site_is_private_and_over_tls(bare):
    from infra.stack.website import SiteBucket

    template = bare(lambda s: SiteBucket(s, "S"))
    assert is_private(template.only("AWS::S3::Bucket"))
    assert denies_plain_http(template.only("AWS::S3::BucketPolicy"))


# Secrets


def secrets(bare, **given):
    from aws_cdk import RemovalPolicy

    from infra.stack.secret import Secrets

    made = {}
    named = dict.fromkeys(("cookie_secret", "model_secret", "transcription_secret"))
    defaults = {**named, "needs_model_key": False, "key": None}

    def make(stack):
        made["secrets"] = Secrets(
            stack, "S", removal_policy=RemovalPolicy.DESTROY, **(defaults | given)
        )

    return bare(make), made["secrets"]


def test_the_cookie_key_is_random_and_long(bare):
    template, _ = secrets(bare)
    secret = template.only("AWS::SecretsManager::Secret")
    assert secret["GenerateSecretString"]["PasswordLength"] >= 32
    assert "SecretString" not in secret


def test_the_models_key_is_made_without_a_value(bare):
    template, _ = secrets(bare, needs_model_key=True)
    secret = template.only("AWS::SecretsManager::Secret", "SModel")
    assert "GenerateSecretString" not in secret
    assert "SecretString" not in secret


def test_secrets_that_exist_are_named_and_none_is_made(bare):
    template, made = secrets(
        bare,
        cookie_secret="chat/cookie",
        model_secret="chat/openai",
        transcription_secret="chat/whisper",
    )
    assert not template.of_type("AWS::SecretsManager::Secret")
    assert made.transcription.arn.endswith(":secret:chat/whisper-??????")
    assert made.model.id == "chat/openai"
    assert made.model.arn.endswith(":secret:chat/openai-??????")


# Functions


def a_function(stack, **given):
    from aws_cdk import aws_lambda as lambda_

    from infra.stack.function import ServiceFunction

    return ServiceFunction(
        stack,
        given.pop("name", "F"),
        **{
            "description": "d",
            "code": lambda_.Code.from_inline("x"),
            "handler": "index.app",
            "architecture": "arm64",
            "memory": 512,
            "timeout": 60,
            "concurrency": 3,
            "environment": {"NAME": "1"},
            "layers": [],
            "invoke_mode": lambda_.InvokeMode.RESPONSE_STREAM,
            "snap_start": False,
            "log_level": "INFO",
            "log_retention_days": 7,
        }
        | given,
    )


def test_a_function_is_python_on_arm_with_its_limits_and_json_logs(bare):
    template = bare(a_function)
    function = template.only("AWS::Lambda::Function")
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert (function["MemorySize"], function["Timeout"]) == (512, 60)
    assert function["ReservedConcurrentExecutions"] == 3
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert function["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
    assert "SnapStart" not in function
    assert template.only("AWS::Logs::LogGroup")["RetentionInDays"] == 7


def test_no_concurrency_is_reserved_when_none_is_asked_for(bare):
    function = bare(lambda s: a_function(s, concurrency=0)).only("AWS::Lambda::Function")
    assert "ReservedConcurrentExecutions" not in function


def test_a_url_streams_from_the_alias_of_a_published_version_and_wants_signatures(bare):
    template = bare(a_function)
    url = template.only("AWS::Lambda::Url")
    assert url["AuthType"] == "AWS_IAM"
    assert url["InvokeMode"] == "RESPONSE_STREAM"
    assert url["Qualifier"] == template.only("AWS::Lambda::Alias")["Name"] == "live"
    assert "Cors" not in url
    assert len(template.of_type("AWS::Lambda::Version")) == 1


def test_a_function_starts_from_a_snapshot_when_asked(bare):
    function = bare(lambda s: a_function(s, snap_start=True)).only("AWS::Lambda::Function")
    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}


def test_a_functions_role_writes_its_own_logs_and_has_no_managed_policy(bare):
    template = bare(a_function)
    assert "ManagedPolicyArns" not in template.only("AWS::IAM::Role")
    (statement,) = template.only("AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {
        "Fn::GetAtt": [next(iter(template.of_type("AWS::Logs::LogGroup"))), "Arn"]
    }


@pytest.mark.parametrize(
    ("architecture", "layer"),
    [("arm64", "LambdaAdapterLayerArm64:30"), ("x86_64", "LambdaAdapterLayerX86:30")],
)
def test_the_web_adapter_takes_the_place_of_our_loop(architecture, layer):
    from infra.stack.environment import runtime
    from infra.stack.settings import read_settings

    settings = read_settings({"streaming": "web-adapter", "architecture": architecture})
    started = runtime(settings, region="eu-central-1")
    assert started.layers == [f"arn:aws:lambda:eu-central-1:753240598075:layer:{layer}"]
    assert started.environment["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/bootstrap"
    assert started.environment["AWS_LWA_INVOKE_MODE"] == "response_stream"
    assert started.environment["AWS_LWA_READINESS_CHECK_PATH"] == "/chatkit/health"
    assert int(started.environment["AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS"]) >= 1


# CloudFront


@pytest.fixture(scope="module")
def cdn_template(tmp_path_factory):
    from aws_cdk import App, Environment, Stack
    from aws_cdk import aws_s3 as s3

    from infra.stack.cdn import Cdn, content_security_policy

    app = App(outdir=str(tmp_path_factory.mktemp("cdk.out")))
    stack = Stack(app, "bare", env=Environment(account=ACCOUNT, region="eu-central-1"))
    files = s3.Bucket(stack, "Files")
    Cdn(
        stack,
        "C",
        site_bucket=s3.Bucket(stack, "Site"),
        chat=a_function(stack, name="Chat"),
        actions=a_function(stack, name="Actions"),
        csp=content_security_policy(files_bucket=files, frame_ancestors=["https://in.example"]),
        domain=None,
        web_acl_arn=None,
        price_class="100",
    )
    return Template(app.synth().get_stack_by_name("bare").template)


@pytest.fixture(scope="module")
def distribution(cdn_template):
    return cdn_template.only("AWS::CloudFront::Distribution")["DistributionConfig"]


def test_both_functions_are_reached_whole_and_uncached(distribution):
    behaviors = {b["PathPattern"]: b for b in distribution["CacheBehaviors"]}
    assert set(behaviors) == {"/chatkit*", "/actions*"}
    for behavior in behaviors.values():
        assert set(behavior["AllowedMethods"]) >= {"GET", "POST", "OPTIONS", "DELETE", "PUT"}
        assert behavior["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # disabled
        # All viewer headers except Host.
        assert behavior["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
        assert behavior["Compress"] is False
        assert behavior["ViewerProtocolPolicy"] == "https-only"


def test_the_functions_origins_are_signed_and_wait_a_minute(cdn_template, distribution):
    origins = [o for o in distribution["Origins"] if "CustomOriginConfig" in o]
    assert len(origins) == 2
    for origin in origins:
        assert origin["CustomOriginConfig"]["OriginReadTimeout"] == 60
        assert origin["CustomOriginConfig"]["OriginSSLProtocols"] == ["TLSv1.2"]
        access = cdn_template.resources[origin["OriginAccessControlId"]["Fn::GetAtt"][0]]
        config = access["Properties"]["OriginAccessControlConfig"]
        assert config["OriginAccessControlOriginType"] == "lambda"
        assert (config["SigningBehavior"], config["SigningProtocol"]) == ("always", "sigv4")


def test_only_this_distribution_may_call_the_aliases_and_by_both_actions(cdn_template):
    permissions = [
        p["Properties"] for p in cdn_template.of_type("AWS::Lambda::Permission").values()
    ]
    aliases = set(cdn_template.of_type("AWS::Lambda::Alias"))
    granted = {(p["FunctionName"]["Ref"], p["Action"]) for p in permissions}
    assert granted == {
        (alias, action)
        for alias in aliases
        for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
    }
    (distribution,) = cdn_template.of_type("AWS::CloudFront::Distribution")
    for permission in permissions:
        assert permission["Principal"] == "cloudfront.amazonaws.com"
        assert {"Ref": distribution} in permission["SourceArn"]["Fn::Join"][1]
        if permission["Action"] == "lambda:InvokeFunction":
            assert permission["InvokedViaFunctionUrl"] is True


def test_the_page_speaks_http2_and_3_and_moves_to_https(distribution):
    assert distribution["HttpVersion"] == "http2and3"
    assert distribution["IPV6Enabled"] is True
    assert distribution["DefaultRootObject"] == "index.html"
    assert distribution["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"


def test_no_error_page_hides_what_the_api_answers(distribution):
    assert "CustomErrorResponses" not in distribution
    assert "FunctionAssociations" in distribution["DefaultCacheBehavior"]
    for behavior in distribution["CacheBehaviors"]:
        assert "FunctionAssociations" not in behavior


def test_every_answer_has_the_security_headers(cdn_template, distribution):
    policy = cdn_template.only("AWS::CloudFront::ResponseHeadersPolicy")
    config = policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    assert config["ContentTypeOptions"] == {"Override": True}
    assert config["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    assert config["ReferrerPolicy"]["ReferrerPolicy"] == "strict-origin-when-cross-origin"
    assert all(header["Override"] is True for header in config.values())
    (name,) = cdn_template.of_type("AWS::CloudFront::ResponseHeadersPolicy")
    for behavior in [distribution["DefaultCacheBehavior"], *distribution["CacheBehaviors"]]:
        assert behavior["ResponseHeadersPolicyId"] == {"Ref": name}


def test_the_content_policy_allows_what_chatkit_needs_and_no_inline_script(cdn_template):
    policy = cdn_template.only("AWS::CloudFront::ResponseHeadersPolicy")
    config = policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    joined = config["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "FILES" for part in joined)
    directives = dict(part.split(" ", 1) for part in text.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self' https://cdn.platform.openai.com"
    assert directives["frame-src"] == "https://cdn.platform.openai.com"
    assert directives["connect-src"].split() == [
        "'self'",
        "https://cdn.platform.openai.com",
        "https://api.openai.com",
        "https://FILES.s3.eu-central-1.amazonaws.com",
        "https://FILES.s3.amazonaws.com",
    ]
    assert directives["frame-ancestors"] == "https://in.example"
    assert directives["base-uri"] == "'none'"
    assert set(directives) == {
        "default-src",
        "script-src",
        "style-src",
        "font-src",
        "img-src",
        "connect-src",
        "frame-src",
        "worker-src",
        "base-uri",
        "form-action",
        "frame-ancestors",
    }


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("/", "/index.html"),
        ("/c/thr_123", "/index.html"),
        ("/assets/index-5d41402a.js", "/assets/index-5d41402a.js"),
        ("/config.json", "/config.json"),
        ("/v1.0/page", "/index.html"),
    ],
)
@pytest.mark.skipif(which("node") is None, reason="the edge's function is JavaScript: no node here")
def test_the_edge_sends_the_page_for_addresses_and_files_for_files(path, served):
    from infra.stack.cdn import SPA_FALLBACK

    event = json.dumps({"request": {"uri": path}})
    done = subprocess.run(
        ["node", "-e", f"{SPA_FALLBACK}; console.log(handler({event}).uri)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == served


# Events


@pytest.fixture
def events(bare):
    from aws_cdk import aws_s3 as s3

    from infra.stack.events import Events
    from infra.stack.table import ChatTable

    def make(stack):
        Events(
            stack,
            "E",
            function=a_function(stack),
            table=ChatTable(stack, "T", key=None, keep=False).table,
            stream_filters=schema.STREAM_FILTERS,
            bucket=s3.Bucket(stack, "B"),
            upload_prefix="uploads/",
        )

    return bare(make)


def test_the_stream_reaches_the_alias_filtered_and_with_bounded_retries(events):
    mapping = events.only("AWS::Lambda::EventSourceMapping")
    (alias,) = events.of_type("AWS::Lambda::Alias")
    assert f'"Ref": "{alias}"' in json.dumps(mapping["FunctionName"])
    assert mapping["FunctionName"]["Fn::Join"][1][1] == ":live"
    patterns = [json.loads(f["Pattern"]) for f in mapping["FilterCriteria"]["Filters"]]
    assert patterns == schema.STREAM_FILTERS
    assert len(patterns) <= 5  # Lambda's limit
    assert 0 < mapping["MaximumRetryAttempts"] <= 10
    assert mapping["MaximumRecordAgeInSeconds"] <= 86400
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_what_fails_for_good_is_kept_in_the_dead_letter_queue(events):
    (queue,) = events.of_type("AWS::SQS::Queue")
    arn = {"Fn::GetAtt": [queue, "Arn"]}
    mapping = events.only("AWS::Lambda::EventSourceMapping")
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == arn
    invoke = events.only("AWS::Lambda::EventInvokeConfig")
    assert invoke["DestinationConfig"]["OnFailure"]["Destination"] == arn
    assert invoke["MaximumRetryAttempts"] == 2
    settings = events.only("AWS::SQS::Queue")
    assert settings["MessageRetentionPeriod"] == 14 * 86400
    assert settings["SqsManagedSseEnabled"] is True
    assert denies_plain_http(events.only("AWS::SQS::QueuePolicy"))


def test_finished_uploads_are_told_to_the_alias(events):
    notification = events.only("Custom::S3BucketNotifications")["NotificationConfiguration"]
    (told,) = notification["LambdaFunctionConfigurations"]
    (alias,) = events.of_type("AWS::Lambda::Alias")
    assert told["LambdaFunctionArn"] == {"Ref": alias}
    assert told["Events"] == ["s3:ObjectCreated:*"]
    assert told["Filter"]["Key"]["FilterRules"] == [{"Name": "prefix", "Value": "uploads/"}]


# In us-east-1


def test_the_web_acl_has_a_rate_rule_and_lets_chat_bodies_through(bare):
    from infra.stack.edge import BODY_RULES, WebAcl

    acl = bare(lambda s: WebAcl(s, "W", rate_limit=500)).only("AWS::WAFv2::WebACL")
    assert acl["Scope"] == "CLOUDFRONT"
    rate, common = acl["Rules"]
    assert rate["Statement"]["RateBasedStatement"] == {"AggregateKeyType": "IP", "Limit": 500}
    assert rate["Action"] == {"Block": {}}
    group = common["Statement"]["ManagedRuleGroupStatement"]
    assert (group["VendorName"], group["Name"]) == ("AWS", "AWSManagedRulesCommonRuleSet")
    assert {o["Name"] for o in group["RuleActionOverrides"]} == set(BODY_RULES)
    assert all(o["ActionToUse"] == {"Count": {}} for o in group["RuleActionOverrides"])


def test_a_mailed_topic_takes_alarms_of_this_account_and_only_over_tls(bare):
    from infra.stack.alarms import alarm_topic

    template = bare(lambda s: alarm_topic(s, email="a@example.com", topic_arn=None))
    assert template.only("AWS::SNS::Subscription")["Endpoint"] == "a@example.com"
    statements = template.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    allow = next(s for s in statements if s["Effect"] == "Allow")
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert "AWS:SourceAccount" in allow["Condition"]["StringEquals"]
    assert any(s["Effect"] == "Deny" for s in statements)
