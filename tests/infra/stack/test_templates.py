"""The whole stack in its variants: valid, without cycles or clashes, and the same each time."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from tests.infra.stack.variants import EVERYTHING, VARIANTS, references
from tests.support.template import ACCOUNT

CFN_LINT = "from cfnlint.runner import main; main()"


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
    from infra.stack.context import read_settings

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


@pytest.mark.parametrize("typed", [{}, EVERYTHING], ids=["nothing set", "everything set"])
def test_the_same_inputs_give_the_same_templates_wherever_they_lie(typed, placeholders, tmp_path):

    from aws_cdk import App

    from infra.app import add_stage
    from infra.stack.context import read_settings

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
    kept = {r["Type"] for r in dev.resources.values() if r.get("DeletionPolicy") == "Retain"}
    # Who deletes a function deletes its versions with it:
    # https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html
    assert kept == {"AWS::Lambda::Version"}
    prod = synth(stage="prod")["chatkit-prod"]
    kept = {r["Type"] for r in prod.resources.values() if r.get("DeletionPolicy") == "Retain"}
    assert kept >= {
        "AWS::DynamoDB::Table",
        "AWS::S3::Bucket",
        "AWS::SecretsManager::Secret",
    }


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
    assert set(outputs) == {
        "PageUrl",
        "ApiUrl",
        "TableName",
        "FilesBucketName",
        "RunLogs",
        "CookieSecret",
        "Next",
        "Provider",
    }
    (table,) = dev.of_type("AWS::DynamoDB::Table")
    (bucket,) = (name for name in dev.of_type("AWS::S3::Bucket") if name.startswith("Files"))
    assert outputs["TableName"]["Value"] == {"Ref": table}
    assert outputs["FilesBucketName"]["Value"] == {"Ref": bucket}
    assert "domainKey" in json.dumps(outputs["Next"])
    known = synth(domainKey="domain_pk_1")["chatkit-dev"].body["Outputs"]
    assert "Next" not in known
