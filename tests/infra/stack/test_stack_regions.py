"""A stage with stacks in two regions: us-east-1 for what CloudFront needs there, and its own."""

import pytest

CERTIFICATE = {"domainName": "chat.example.com", "hostedZone": "Z0123ABC/example.com"}
REASONS = {
    "web ACL": {"waf": "true"},
    "certificate": CERTIFICATE,
    "alarms": {"edgeAlarms": "true"},
    "all": {"waf": "true", **CERTIFICATE, "edgeAlarms": "true"},
}
NO_SECOND_STACK = ("alarms", "us-east-1")  # the alarm is where the metrics are


@pytest.fixture(params=["eu-central-1", "us-east-1"])
def region(request):
    return request.param


@pytest.fixture(params=REASONS)
def reason(request):
    return request.param


@pytest.fixture
def templates(synth, reason, region):
    found = synth(**REASONS[reason], region=region)
    assert (len(found) == 1) == ((reason, region) == NO_SECOND_STACK)
    return found


def test_every_function_in_either_region_writes_to_a_log_group_that_forgets(templates):
    for name, template in templates.items():
        assert template.without_logs_that_end() == [], name


def test_what_lies_in_us_east_1_runs_no_code_and_has_no_role(templates):
    for name, template in templates.items():
        kinds = {resource["Type"] for resource in template.resources.values()}
        if name != "chatkit-dev":
            assert not {k for k in kinds if k.startswith(("AWS::Lambda::", "AWS::IAM::", "Custom"))}
        assert not {kind for kind in kinds if "CrossRegion" in kind}


def outputs_read(value):
    """Every output of another stack that a part of a template asks for."""
    if isinstance(value, dict):
        if "Fn::GetStackOutput" in value:
            yield value["Fn::GetStackOutput"]
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from outputs_read(inner)


def test_a_stack_reads_only_outputs_that_exist_where_it_looks(templates, region):
    for name, template in templates.items():
        for asked in outputs_read(template.body):
            assert asked["StackName"] != name
            assert asked["OutputName"] in templates[asked["StackName"]].body["Outputs"]
            main = asked["StackName"] == "chatkit-dev"
            assert asked["Region"] == (region if main else "us-east-1")


def test_the_distribution_is_told_its_certificate_and_web_acl_and_the_alarm_its_distribution(synth):
    templates = synth(**REASONS["all"], region="eu-central-1")
    main = templates["chatkit-dev"].only("AWS::CloudFront::Distribution")["DistributionConfig"]
    alarm = templates["chatkit-dev-edge-alarms"].only("AWS::CloudWatch::Alarm")
    for told, kind in (
        (main["ViewerCertificate"]["AcmCertificateArn"], "AWS::CertificateManager::Certificate"),
        (main["WebACLId"], "AWS::WAFv2::WebACL"),
        (alarm["Dimensions"][0]["Value"], "AWS::CloudFront::Distribution"),
    ):
        asked = told["Fn::GetStackOutput"]
        source = templates[asked["StackName"]]
        value = source.body["Outputs"][asked["OutputName"]]["Value"]
        (thing,) = source.of_type(kind)
        assert value in ({"Ref": thing}, {"Fn::GetAtt": [thing, "Arn"]})
