"""CloudFront: the page, the two functions behind it, and the headers of every answer."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from infra.local.setup import node_folder
from infra.stack.cdn import SPA_FALLBACK, VIEWER_HEADERS
from tests.infra.stack.parts import a_function
from tests.infra.stack.variants import EVERYTHING, VARIANTS
from tests.support.template import ACCOUNT, Template


def run(function, event):
    """What a function of the edge makes of a request, run by Node."""
    done = subprocess.run(
        [
            str(Path(node_folder()) / "node"),
            "-e",
            f"'use strict'; {function}; console.log(JSON.stringify(handler({json.dumps(event)})))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


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
        csp=content_security_policy(
            files_bucket=files,
            frame_ancestors=["https://in.example"],
            image_sources=None,
            sign_in=["https://login.example", "https://tokens.example"],
        ),
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


def test_the_page_and_the_functions_have_one_edge_function_each(cdn_template, distribution):
    """CloudFront takes one for each behavior and event."""
    functions = cdn_template.of_type("AWS::CloudFront::Function")
    behaviors = [distribution["DefaultCacheBehavior"], *distribution["CacheBehaviors"]]
    run = []
    for behavior in behaviors:
        (association,) = behavior["FunctionAssociations"]
        assert association["EventType"] == "viewer-request"
        (name, _) = association["FunctionARN"]["Fn::GetAtt"]
        run.append(functions[name]["Properties"])
    assert [each["FunctionCode"] for each in run] == [SPA_FALLBACK, VIEWER_HEADERS, VIEWER_HEADERS]
    for each in functions.values():
        assert each["Properties"]["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"
        assert each["Properties"]["AutoPublish"] is True
        assert len(each["Properties"]["FunctionCode"]) < 10_000


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
        "https://login.example",
        "https://tokens.example",
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


def test_only_the_origins_of_the_settings_may_frame_the_page(synth, dev):
    def policy(template):
        (headers,) = template.of_type("AWS::CloudFront::ResponseHeadersPolicy").values()
        return json.dumps(headers["Properties"])

    assert "frame-ancestors 'none'" in policy(dev)
    (framed,) = synth(frameAncestors="https://a.example,https://b.example").values()
    assert "frame-ancestors https://a.example https://b.example" in policy(framed)


def test_the_page_may_call_the_issuer_and_the_origins_that_are_named(synth):
    template = synth(**VARIANTS["own everything"])["chatkit-dev"]
    headers = template.only("AWS::CloudFront::ResponseHeadersPolicy")
    assert " https://login.example.com https://tokens.example.com; frame-src" in json.dumps(headers)


def test_turnstile_may_be_loaded_and_shown_only_where_it_is_set(synth, dev):
    def policy(template):
        headers = template.only("AWS::CloudFront::ResponseHeadersPolicy")
        return json.dumps(headers)

    assert "cloudflare" not in policy(dev)
    told = policy(synth(**EVERYTHING)["chatkit-prod"])
    both = "https://cdn.platform.openai.com https://challenges.cloudflare.com;"
    assert f"script-src 'self' {both}" in told
    assert f"frame-src {both}" in told
    assert told.count("cloudflare") == 2


def test_a_page_that_signs_nobody_in_may_call_no_issuer():
    from infra.stack.settings import StackSettings

    oidc = {"auth": "oidc", "oidc_issuer": "https://i.example/t", "oidc_audience": "a"}
    assert StackSettings(**oidc).sign_in_origins == []
    assert StackSettings(**oidc, oidc_client_id="c").sign_in_origins == ["https://i.example"]


def test_a_custom_domain_speaks_tls_1_2_and_is_in_the_zone(synth):
    template = synth(**EVERYTHING)["chatkit-prod"]
    config = template.only("AWS::CloudFront::Distribution")["DistributionConfig"]
    assert config["Aliases"] == ["chat.example.com"]
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert config["WebACLId"]
    records = template.of_type("AWS::Route53::RecordSet").values()
    assert {r["Properties"]["Type"] for r in records} == {"A", "AAAA"}
    assert {r["Properties"]["Name"] for r in records} == {"chat.example.com."}


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
def test_the_edge_sends_the_page_for_addresses_and_files_for_files(path, served):
    assert run(SPA_FALLBACK, {"request": {"uri": path}})["uri"] == served


@pytest.mark.parametrize("ip", ["203.0.113.7", "2001:db8::7"])
@pytest.mark.parametrize(
    "written",
    [
        {},
        {"x-chatkit-viewer-host": {"value": "evil.example"}, "x-chatkit-viewer-ip": {"value": "1"}},
        {
            name: {"value": "a", "multiValue": [{"value": "a"}, {"value": "b"}]}
            for name in ("x-chatkit-viewer-host", "x-chatkit-viewer-ip")
        },
    ],
    ids=["nothing", "one value", "two values"],
)
def test_the_edge_tells_the_functions_host_and_address_whatever_the_viewer_wrote(ip, written):
    from functions.web.viewer import HOST_HEADER, IP_HEADER

    sent = {"host": {"value": "chat.example"}, "origin": {"value": "https://chat.example"}}
    request = {"method": "POST", "uri": "/chatkit", "headers": {**sent, **written}}
    forwarded = run(VIEWER_HEADERS, {"viewer": {"ip": ip}, "request": request})
    told = {HOST_HEADER: {"value": "chat.example"}, IP_HEADER: {"value": ip}}
    assert forwarded == {**request, "headers": {**sent, **told}}


def test_the_edge_writes_no_header_that_cloudfront_forbids():
    """Headers that a function at the edge may not write. A request with one ends with a 502.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html
    """
    written = re.findall(r"headers\['([^']+)'\] =", VIEWER_HEADERS)
    assert len(written) == 2
    forbidden = ("x-amz", "x-accel-", "x-edge-", "x-cache", "x-forwarded-proto", "x-real-ip", "via")
    assert [name for name in written if name.startswith(forbidden)] == []


@pytest.mark.parametrize(
    ("sources", "allowed"),
    [
        (None, ["https:"]),
        ([], ["FILES"]),
        (["https://img.example"], ["FILES", "https://img.example"]),
    ],
)
def test_the_page_shows_pictures_of_the_origins_of_the_settings(sources, allowed):
    from aws_cdk import Environment, Stack
    from aws_cdk import aws_s3 as s3

    from infra.stack.cdn import content_security_policy

    stack = Stack(env=Environment(account=ACCOUNT, region="eu-central-1"))
    files = s3.Bucket.from_bucket_name(stack, "Files", "files")
    policy = content_security_policy(
        files_bucket=files, frame_ancestors=[], image_sources=sources, sign_in=[]
    )
    (pictures,) = [part for part in policy.split("; ") if part.startswith("img-src ")]
    buckets = "https://files.s3.eu-central-1.amazonaws.com https://files.s3.amazonaws.com"
    expected = ["img-src 'self' data: blob:", *allowed]
    assert pictures == " ".join(expected).replace("FILES", buckets)


def test_the_setting_for_pictures_reaches_the_policy_of_the_page(synth):
    (template,) = synth(imageSources="https://img.example").values()
    (headers,) = template.of_type("AWS::CloudFront::ResponseHeadersPolicy").values()
    policy = json.dumps(headers)
    assert "https://img.example" in policy
    assert "blob: https:;" not in policy
