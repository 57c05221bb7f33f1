"""The whole stack, in its variants: valid, free of cycles and clashes, and safe to look at."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.infra.iam import as_list
from tests.support.template import ACCOUNT

EVERYTHING = {
    "stage": "prod",
    "region": "eu-central-1",
    "provider": "openai",
    "kms": "true",
    "snapStart": "true",
    "waf": "true",
    "edgeAlarms": "true",
    "domainName": "chat.example.com",
    "hostedZone": "Z0123ABC/example.com",
    "alarmEmail": "a@example.com",
    "allowedOrigins": "https://www.example.com",
    "architecture": "x86_64",
    "retentionDays": "90",
}
VARIANTS = {
    "nothing set": {},
    "everything set": EVERYTHING,
    "web adapter": {"streaming": "web-adapter", "provider": "gemini", "dashboard": "false"},
    "own everything": {
        "cookieSecret": "chat/cookie",
        "provider": "compatible",
        "model": "llama",
        "modelBaseUrl": "https://llm.example.com/v1",
        "modelSecret": "arn:aws:secretsmanager:us-east-1:123456789012:secret:llm-AbCdEf",
        "auth": "jwt",
        "jwtIssuer": "https://id.example.com/",
        "jwtAudience": "chat",
        "domainName": "chat.example.com",
        "certificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/abc",
        "alarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
        "attachmentMaxBytes": "1048576",
        "attachmentTypes": "image/png, application/x-notebook+json",
        "transcriptionBaseUrl": "https://whisper.example.com/v1",
        "transcriptionModel": "whisper-large",
        "transcriptionSecret": "whisper/key",
        "chatConcurrency": "0",
        "actionsConcurrency": "0",
    },
}


CFN_LINT = "from cfnlint.runner import main; main()"


@pytest.fixture(params=VARIANTS)
def templates(request, synth):
    return synth(**VARIANTS[request.param])


def test_cfn_lint_finds_nothing_in_any_variant(synth, tmp_path):
    paths = []
    for variant, typed in VARIANTS.items():
        for name, template in synth(**typed).items():
            path = tmp_path / f"{variant} {name}.template.json"
            path.write_text(json.dumps(template.body))
            paths.append(str(path))
    # W3005: the CDK writes a DependsOn beside each reference to a role.
    done = subprocess.run(
        [sys.executable, "-c", CFN_LINT, "--ignore-checks", "W3005", "--", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("variant", VARIANTS)
def test_cdk_nag_finds_nothing_that_has_no_reason(variant, placeholders, tmp_path):
    from aws_cdk import App, Aspects, Stack
    from aws_cdk.assertions import Annotations, Match
    from cdk_nag import AwsSolutionsChecks

    from infra.app import add_stage
    from infra.stack.settings import read_settings

    code, page = placeholders
    app = App(outdir=str(tmp_path))
    settings = read_settings(VARIANTS[variant])
    add_stage(app, settings, bundle=lambda _: code, page=page, account=ACCOUNT)
    Aspects.of(app).add(AwsSolutionsChecks(reports=False))
    app.synth()
    for stack in app.node.children:
        if not isinstance(stack, Stack):
            continue  # the CDK's own tree of what it made
        notes = Annotations.from_stack(stack)
        found = [
            f"{note.id}: {note.entry.data}"
            for kind in (notes.find_error, notes.find_warning)
            for note in kind("*", Match.string_like_regexp("AwsSolutions-.*"))
        ]
        assert found == []


def test_every_suppression_has_a_reason(templates):
    reasons = [
        rule["reason"]
        for template in templates.values()
        for resource in template.resources.values()
        for rule in resource.get("Metadata", {}).get("cdk_nag", {}).get("rules_to_suppress", [])
    ]
    assert all(len(reason) > 20 for reason in reasons)


def references(value):
    """Logical ids that a part of a template refers to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref" and isinstance(inner, str):
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0] if isinstance(inner, list) else inner.split(".")[0]
            elif key == "Fn::Sub":
                text = inner[0] if isinstance(inner, list) else inner
                yield from re.findall(r"\$\{(\w+)", text)
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_nothing_depends_on_itself_in_the_end(templates):
    for template in templates.values():
        waits = {}
        for name, resource in template.resources.items():
            after = resource.get("DependsOn", [])
            direct = [after] if isinstance(after, str) else after
            waits[name] = {*direct, *references(resource.get("Properties", {}))} & set(
                template.resources
            )
        while ready := [name for name, others in waits.items() if not others]:
            for name in ready:
                del waits[name]
            for others in waits.values():
                others.difference_update(ready)
        assert waits == {}, "circular"


NAMES = re.compile(r"(?:^|[a-z])Name$|^Name$")


def physical_names(template):
    """Names that the template itself gives to things, as text."""
    for resource in template.resources.values():
        if resource["Type"].startswith(("Custom::", "AWS::CloudWatch::Dashboard")):
            continue
        config = [resource.get("Properties", {})]
        config += [v for v in config[0].values() if isinstance(v, dict)]
        for block in config:
            for key, value in block.items():
                if key in {"MetricName", "AttributeName", "DomainName", "PolicyName"}:
                    continue  # a metric's, an attribute's; a policy's name is its role's own
                made = set(references({key: value})) & set(template.resources)
                if NAMES.search(key) and not made:
                    yield resource["Type"], key, json.dumps(value)


def test_two_stages_share_no_name(synth):
    one = set(physical_names(synth(stage="one")["chatkit-one"]))
    two = set(physical_names(synth(stage="two")["chatkit-two"]))
    # An alias is named within its function.
    shared = {found for found in one & two if found[0] != "AWS::Lambda::Alias"}
    assert one, "names were found at all"
    assert shared == set()


def test_one_stage_in_two_regions_shares_no_name_that_is_global(synth):
    here = synth(stage="one", region="eu-central-1")["chatkit-one"]
    there = synth(stage="one", region="us-west-2")["chatkit-one"]
    kinds = ("AWS::CloudFront::", "AWS::IAM::", "AWS::S3::")

    def globally(template):
        return {found for found in physical_names(template) if found[0].startswith(kinds)}

    assert globally(here)
    assert globally(here) & globally(there) == set()


def test_no_output_is_exported_so_that_stacks_stay_apart(templates):
    for template in templates.values():
        for output in template.body.get("Outputs", {}).values():
            assert "Export" not in output


def test_no_secret_is_in_an_environment_or_an_output(templates):
    for template in templates.values():
        secrets = set(template.of_type("AWS::SecretsManager::Secret"))
        told = [
            function["Properties"].get("Environment", {}).get("Variables", {})
            for function in template.of_type("AWS::Lambda::Function").values()
        ]
        shown = json.dumps([told, template.body.get("Outputs", {})])
        assert "{{resolve:" not in shown
        for variables in told:
            for name, value in variables.items():
                named = isinstance(value, dict) and value.get("Ref") in secrets
                assert not named or name.endswith("_SECRET")
                assert not re.search(r"(?:_KEY|TOKEN|PASSWORD)$", name), name


@pytest.mark.parametrize("typed", [{}, EVERYTHING], ids=["nothing set", "everything set"])
def test_the_same_inputs_give_the_same_templates_wherever_they_lie(typed, placeholders, tmp_path):
    import shutil

    from aws_cdk import App

    from infra.app import add_stage
    from infra.stack.settings import read_settings

    made = []
    for number in (1, 2):
        place = tmp_path / f"machine{number}"
        for source, name in zip(placeholders, ("code", "page"), strict=True):
            shutil.copytree(source, place / name, copy_function=shutil.copy)
        app = App(outdir=str(place / "out"))
        add_stage(
            app,
            read_settings(typed),
            bundle=lambda _, place=place: place / "code",
            page=place / "page",
            account=ACCOUNT,
        )
        made.append({stack.stack_name: stack.template for stack in app.synth().stacks})
    assert len(made[0]) == (3 if typed else 1)
    assert made[0] == made[1]


def test_destroying_leaves_nothing_unless_protection_is_on(synth, dev):
    kept = [n for n, r in dev.resources.items() if r.get("DeletionPolicy") == "Retain"]
    assert kept == []
    prod = synth(stage="prod")["chatkit-prod"]
    kept = {r["Type"] for r in prod.resources.values() if r.get("DeletionPolicy") == "Retain"}
    assert kept >= {
        "AWS::DynamoDB::Table",
        "AWS::S3::Bucket",
        "AWS::SecretsManager::Secret",
    }


def test_a_stack_in_us_east_1_is_made_only_when_asked_for(synth):
    assert set(synth()) == {"chatkit-dev"}
    assert set(synth(**EVERYTHING)) == {
        "chatkit-prod",
        "chatkit-prod-edge",
        "chatkit-prod-edge-alarms",
    }


def test_a_custom_domain_speaks_tls_1_2_and_is_in_the_zone(synth):
    template = synth(**EVERYTHING)["chatkit-prod"]
    config = template.only("AWS::CloudFront::Distribution")["DistributionConfig"]
    assert config["Aliases"] == ["chat.example.com"]
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert config["WebACLId"]
    records = template.of_type("AWS::Route53::RecordSet").values()
    assert {r["Properties"]["Type"] for r in records} == {"A", "AAAA"}
    assert {r["Properties"]["Name"] for r in records} == {"chat.example.com."}


def test_a_key_of_ones_own_encrypts_table_files_and_secrets(synth):
    template = synth(**EVERYTHING)["chatkit-prod"]
    (key,) = template.of_type("AWS::KMS::Key")
    assert template.only("AWS::KMS::Key")["EnableKeyRotation"] is True
    uses = json.dumps({"Fn::GetAtt": [key, "Arn"]})
    for kind in ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"):
        for resource in template.of_type(kind).values():
            assert uses in json.dumps(resource["Properties"]), kind
    files = template.only("AWS::S3::Bucket", "Files")
    assert uses in json.dumps(files["BucketEncryption"])


def test_outputs_say_where_it_is_and_what_to_do_next(synth, dev):
    outputs = dev.body["Outputs"]
    assert set(outputs) == {"PageUrl", "ApiUrl", "Next"}
    assert "domainKey" in json.dumps(outputs["Next"])
    known = synth(domainKey="domain_pk_1")["chatkit-dev"].body["Outputs"]
    assert "Next" not in known


# The page


def test_hashed_files_are_for_ever_and_the_rest_is_asked_for_again(dev):
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


def test_only_what_changed_is_thrown_out_of_cloudfront(dev):
    deployed = {
        name.split("CustomResource")[0]: d["Properties"]
        for name, d in dev.of_type("Custom::CDKBucketDeployment").items()
    }
    assert "DistributionPaths" not in deployed["PageAssets"]
    assert deployed["PageIndex"]["DistributionPaths"] == ["/index.html"]
    assert deployed["PageConfig"]["DistributionPaths"] == ["/config.json"]


# Alarms


def test_alarms_watch_both_functions_the_table_the_edge_the_letters_and_the_purse(dev):
    alarms = {n.removeprefix("Alarms")[:-8] for n in dev.of_type("AWS::CloudWatch::Alarm")}
    assert alarms == {
        "ChatErrors",
        "ChatThrottles",
        "ChatDuration",
        "ActionsErrors",
        "ActionsThrottles",
        "ActionsDuration",
        "FirstTokenLate",
        "TableThrottles",
        "DeadLetters",
        "DailySpend",
        "EdgeErrors",
    }
    for alarm in dev.of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["TreatMissingData"] == "notBreaching"
        assert alarm["Properties"]["AlarmDescription"]


def test_alarms_are_sent_to_the_topic(synth, dev):
    assert "AlarmActions" not in json.dumps(dev.body)
    template = synth(**EVERYTHING)["chatkit-prod"]
    (topic,) = template.of_type("AWS::SNS::Topic")
    for alarm in template.of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": topic}]


def test_an_alarm_on_cloudfront_exists_only_where_its_metrics_are(synth, dev):
    (edge,) = dev.of_type("AWS::CloudWatch::Alarm").keys() & {
        name for name in dev.resources if name.startswith("AlarmsEdgeErrors")
    }
    condition = dev.body["Conditions"][dev.resources[edge]["Condition"]]
    assert condition == {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}
    other = synth(**EVERYTHING)["chatkit-prod-edge-alarms"]
    assert len(other.of_type("AWS::CloudWatch::Alarm")) == 1


def test_an_alarm_on_duration_comes_before_the_timeout(dev):
    for name in ("Chat", "Actions"):
        timeout = dev.only("AWS::Lambda::Function", f"{name}Function")["Timeout"]
        alarm = dev.only("AWS::CloudWatch::Alarm", f"Alarms{name}Duration")
        assert timeout * 500 < alarm["Threshold"] < timeout * 1000


# The functions in the stack


def test_answers_stream_and_actions_are_buffered_shorter_and_may_do_less(dev):
    chat = dev.only("AWS::Lambda::Function", "ChatFunction")
    actions = dev.only("AWS::Lambda::Function", "ActionsFunction")
    assert dev.only("AWS::Lambda::Url", "Chat")["InvokeMode"] == "RESPONSE_STREAM"
    assert dev.only("AWS::Lambda::Url", "Actions")["InvokeMode"] == "BUFFERED"
    assert actions["Timeout"] < chat["Timeout"]
    assert chat["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == (
        "/var/task/functions/lambda_stream/bootstrap"
    )
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in actions["Environment"]["Variables"]


def test_the_purse_is_closed_by_default(dev):
    for name in ("Chat", "Actions"):
        function = dev.only("AWS::Lambda::Function", f"{name}Function")
        assert 0 < function["ReservedConcurrentExecutions"] <= 50


def test_what_the_functions_are_told_is_what_they_read(synth):
    from functions.settings import Settings

    known = {
        alias
        for name, field in Settings.model_fields.items()
        for alias in (
            [f"CHATKIT_{name.upper()}"]
            if field.validation_alias is None
            else getattr(field.validation_alias, "choices", [field.validation_alias])
        )
    }
    ours = {"CHATKIT_LOG_LEVEL"}
    for variant in VARIANTS.values():
        for name, template in synth(**variant).items():
            if "edge" in name:
                continue
            for prefix in ("ChatFunction", "ActionsFunction"):
                function = template.only("AWS::Lambda::Function", prefix)
                told = set(function["Environment"]["Variables"])
                assert {n for n in told if not n.startswith("AWS_L")} <= known | ours


def page_config_of(template):
    """`config.json` as it is put into the site's bucket."""
    deployed = template.of_type("Custom::CDKBucketDeployment")
    (config,) = [d for name, d in deployed.items() if name.startswith("PageConfig")]
    return config["Properties"]


@pytest.mark.parametrize(
    ("typed", "provider", "listens"),
    [
        ({}, None, False),
        ({"provider": "openai"}, "openai", True),
        ({"provider": "openai", "voice": "false"}, None, False),
        ({"provider": "gemini"}, "gemini", True),
        (VARIANTS["own everything"], "openai", True),
        (
            {"provider": "compatible", "model": "m", "modelBaseUrl": "https://llm.example.com/v1"},
            None,
            False,
        ),
        (
            {
                "provider": "compatible",
                "model": "m",
                "modelBaseUrl": "https://llm.example.com/v1",
                "voice": "true",
            },
            "openai",
            True,
        ),
    ],
)
def test_the_functions_hear_where_the_settings_say_so(synth, typed, provider, listens):
    from infra.stack.environment import told
    from infra.stack.settings import read_settings

    (template,) = (t for name, t in synth(**typed).items() if "edge" not in name)
    for name in ("ChatFunction", "ActionsFunction"):
        variables = template.only("AWS::Lambda::Function", name)["Environment"]["Variables"]
        reads = told({n: str(v) for n, v in variables.items() if not n.startswith("AWS_")})
        assert reads.voice_provider == provider
        assert read_settings(typed).hears is listens


def test_what_is_limited_and_who_hears_is_told_to_both_functions(synth):
    template = synth(**VARIANTS["own everything"])["chatkit-dev"]
    for name in ("ChatFunction", "ActionsFunction"):
        told = template.only("AWS::Lambda::Function", name)["Environment"]["Variables"]
        assert told["CHATKIT_ATTACHMENT_MAX_BYTES"] == "1048576"
        assert told["CHATKIT_ATTACHMENT_TYPES"] == "image/png,application/x-notebook+json"
        assert told["CHATKIT_TRANSCRIPTION_BASE_URL"] == "https://whisper.example.com/v1"
        assert told["CHATKIT_TRANSCRIPTION_MODEL"] == "whisper-large"
        assert told["CHATKIT_TRANSCRIPTION_API_KEY_SECRET"] == "whisper/key"


def test_every_log_group_forgets(templates):
    for template in templates.values():
        for group in template.of_type("AWS::Logs::LogGroup").values():
            assert group["Properties"]["RetentionInDays"] == 30


def test_every_function_writes_to_a_log_group_that_forgets(templates):
    """Those that the CDK adds too."""
    for name, template in templates.items():
        assert template.without_logs_that_end() == [], name


def test_the_dashboard_shows_use_speed_and_cost_and_can_be_left_out(synth, dev):
    body = dev.only("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "X" for part in body)
    shown = {widget["properties"]["title"] for widget in json.loads(text)["widgets"]}
    assert shown == {
        "Requests",
        "Errors",
        "Throttles",
        "First token, p90 (ms)",
        "Duration, p99",
        "Throttled rows",
        "Tokens a day",
        "Dollars a day",
    }
    (without,) = synth(dashboard="false").values()
    assert not without.of_type("AWS::CloudWatch::Dashboard")


def test_the_page_is_framed_by_whom_the_settings_name_and_by_nobody_else(synth, dev):
    def policy(template):
        (headers,) = template.of_type("AWS::CloudFront::ResponseHeadersPolicy").values()
        return json.dumps(headers["Properties"])

    assert "frame-ancestors 'none'" in policy(dev)
    (framed,) = synth(frameAncestors="https://a.example,https://b.example").values()
    assert "frame-ancestors https://a.example https://b.example" in policy(framed)


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
    # Who may not list a bucket is told 403 of a file that is not there.
    allowed = {action for s in readers for action in as_list(s["Action"])}
    assert allowed == {"s3:GetObject", "s3:ListBucket"}
    assert all("AWS:SourceArn" in s["Condition"]["StringEquals"] for s in readers)


def test_make_lambda_starts_what_the_template_says(dev):
    from infra.emulator import project

    chat = dev.only("AWS::Lambda::Function", "ChatFunction")
    actions = dev.only("AWS::Lambda::Function", "ActionsFunction")
    assert chat["Handler"] == project.CHAT_HANDLER
    assert actions["Handler"] == project.ACTIONS_HANDLER
    assert chat["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == project.WRAPPER


def test_the_web_adapter_is_given_a_script_that_can_be_run(synth):
    from functions.settings import ROOT

    template = synth(**VARIANTS["web adapter"])["chatkit-dev"]
    script = ROOT / template.only("AWS::Lambda::Function", "ChatFunction")["Handler"]
    assert os.access(script, os.X_OK)
