"""CloudFront: the page, the two functions behind it, and the headers of every answer."""

import json
import subprocess
from shutil import which

import pytest

from tests.infra.stack.parts import a_function
from tests.infra.stack.variants import EVERYTHING, VARIANTS
from tests.support.template import ACCOUNT, Template


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
